//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// A lock excludes other processes while this one runs. The operating system releases it when the process ends. It is
// not on the database file, because closing that would drop SQLite's own locks (POSIX fcntl). It is on a lock file
// and on the directory, so that deleting the lock file does not admit a second process.
type lock struct{ file, dir *os.File }

// takeLock locks the file at path, which it creates if necessary, and its directory. It returns ErrInUse if another
// process holds either lock.
func takeLock(path string) (*lock, error) {
	file, err := flock(path, os.O_CREATE|os.O_RDWR)
	if err != nil {
		return nil, err
	}
	dir, err := flock(filepath.Dir(path), os.O_RDONLY)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &lock{file, dir}, nil
}

// flock opens path and locks it. If the file system cannot lock directories, that is not an error.
func flock(path string, flag int) (*os.File, error) {
	f, err := os.OpenFile(path, flag, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDisk, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	} else if flag == os.O_RDONLY {
		err = nil
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", err, path), f.Close())
	}
	return f, nil
}

// release unlocks. The lock file is not removed: another process may just have opened it.
func (l *lock) release() error { return errors.Join(l.file.Close(), l.dir.Close()) }
