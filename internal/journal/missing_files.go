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
const checkFilesEvery = time.Second

// An openFile is a file that SQLite has open: a path, and the file that was there after Open.
type openFile struct {
	path string
	info fs.FileInfo
}

// noteFiles records which files the databases are in.
func (s *Store) noteFiles() {
	for _, path := range []string{s.options.Path, s.options.Path + "-wal", s.options.Path + "-shm"} {
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

// watchFiles checks the files until the journal is closed.
func (s *Store) watchFiles() {
	tick := time.NewTicker(checkFilesEvery)
	defer tick.Stop()
	before := ""
	for {
		select {
		case <-tick.C:
			before = s.checkFiles(before)
		case <-s.quit:
			return
		}
	}
}

// checkFiles logs it when a file is missing, and when none is missing any more. It returns the one that is, and gets what it
// returned before.
func (s *Store) checkFiles(before string) string {
	name := s.missing()
	switch {
	case name == before:
	case name == "":
		s.logger.Info("the files of the journal are in their places again")
	default:
		s.logger.Error("a file of the journal was deleted or replaced while bridge runs: events are stored only until it stops. Stop it in an "+
			"orderly way: the journal is then written again, if nothing is in its place. bridge backup copies it now", "file", name)
		s.checkpointAlways()
	}
	return name
}

// checkpointAlways moves each transaction from the log into the file at once, because the log will not be there after a crash.
func (s *Store) checkpointAlways() {
	ctx, cancel := context.WithTimeout(context.Background(), checkFilesEvery)
	defer cancel()
	t := &task{result: make(chan error, 1), do: func(w *writer) error {
		_, err := w.conn.ExecContext(w.ctx, `PRAGMA wal_autocheckpoint(1)`)
		return err
	}}
	err := s.submit(ctx, t)
	if err == nil {
		err = s.await(ctx, t.result)
	}
	if err != nil {
		s.logger.Debug("the log of the journal is not moved at once", "error", err)
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
