//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// A lock keeps other processes away for as long as this one lives: the system lets go of it at a crash too. It is
// not on the journal's own file, where closing it would drop the locks that SQLite has there (POSIX fcntl).
type lock struct{ file *os.File }

// takeLock locks the file at path, and makes it if it is missing. It returns ErrInUse if somebody has it.
func takeLock(path string) (*lock, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDisk, err)
	}
	err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s", err, path), f.Close())
	}
	return &lock{f}, nil
}

// release lets others in. The file stays: removing it would race with somebody who has just opened it.
func (l *lock) release() error { return l.file.Close() }
