package journal

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// checkFilesEvery is how often the journal checks that its files are still there.
const checkFilesEvery = 5 * time.Second

// An openFile is a file that SQLite has open: a path, and the file that was there after Open.
type openFile struct {
	path string
	info fs.FileInfo
}

// noteFiles records which files the databases are in.
func (s *Store) noteFiles() {
	for _, path := range []string{s.options.Path, s.options.Path + "-wal"} {
		if info, err := os.Stat(path); err == nil {
			s.files = append(s.files, openFile{path, info})
		}
	}
}

// missing returns the path of the first file that is open but no longer at its path: deleted, replaced, or in a directory
// that was renamed. It is empty if all are there. SQLite does not notice: it writes on to a file without a name.
func (s *Store) missing() string {
	for _, f := range s.files {
		if info, err := os.Stat(f.path); errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(info, f.info) {
			return f.path
		}
	}
	return ""
}

// watchFiles logs once when a file is missing. It ends with the journal.
func (s *Store) watchFiles() {
	tick := time.NewTicker(checkFilesEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			if name := s.missing(); name != "" {
				s.logger.Error("a file of the journal was deleted or replaced while bridge runs: events are stored only until it stops. "+
					"Stop it in an orderly way: the journal is then written again, if nothing is in its place", "file", name)
				return
			}
		case <-s.quit:
			return
		}
	}
}

// rewrite stores the journal at its path again if its file was deleted. The writer must have ended. What is at the path now
// is not touched.
func (s *Store) rewrite() error {
	name := s.missing()
	if name == "" || s.write == nil {
		return nil
	}
	path := s.options.Path
	if _, err := os.Lstat(path); name != path || !errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite moves the log into the file when it closes; another file is not ours to replace
	}
	if err := makeDirectory(path); err != nil {
		return err
	}
	partial := path + ".partial"
	if _, err := s.write.ExecContext(context.Background(), `VACUUM INTO ?`, partial); err != nil {
		return explain("write the deleted journal again", err)
	}
	s.logger.Warn("the journal was deleted while bridge ran, and is written again", "file", path)
	err := errors.Join(os.Chmod(partial, 0o600), syncFile(partial), s.closeDatabases())
	for _, log := range []string{path + "-wal", path + "-shm"} { // of the deleted file
		if e := os.Remove(log); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return errors.Join(err, os.Rename(partial, path), syncDirectory(filepath.Dir(path)))
}
