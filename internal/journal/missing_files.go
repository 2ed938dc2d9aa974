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

// An openFile is a file that SQLite has open: its path and its identity after Open.
type openFile struct {
	path string
	info fs.FileInfo
}

// recordFiles stores the identities of the database files.
func (s *Store) recordFiles() {
	for _, path := range []string{s.options.Path, s.options.Path + "-wal", s.options.Path + "-shm"} {
		if info, err := os.Stat(path); err == nil {
			s.files = append(s.files, openFile{path, info})
		}
	}
}

// missing returns the path of the first open file that is no longer at its path: it was deleted or replaced, or its
// directory was renamed. It is empty if all are in place. SQLite does not detect that and goes on writing to the
// unlinked file.
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

// checkFiles logs when a file goes missing and when all are in place again. It returns the missing file; before is
// its previous result.
func (s *Store) checkFiles(before string) string {
	name := s.missing()
	switch name {
	case before:
	case "":
		s.logger.Info("the files of the journal are in their places again")
	default:
		s.logger.Error("a file of the journal was deleted or replaced while bridge runs: events are stored only until it stops. Stop it in an "+
			"orderly way: the journal is then written again, if nothing is in its place. bridge backup copies it now", "file", name)
		s.checkpointAlways()
	}
	return name
}

// checkpointAlways makes SQLite move each transaction from the WAL into the database at once, because the WAL will
// not be found after a crash.
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
		s.logger.Debug("journal WAL is not checkpointed at each commit", "error", err)
	}
}

// rewrite writes the database to its path again if the file was deleted. The writer must have ended. An existing file
// at the path is not modified.
func (s *Store) rewrite() error {
	name := s.missing()
	if name == "" || s.write == nil {
		return nil
	}
	path := s.options.Path
	if _, err := os.Lstat(path); name != path || !errors.Is(err, fs.ErrNotExist) {
		return nil // SQLite checkpoints when it closes; a foreign file is not replaced
	}
	if err := makeDirectory(path); err != nil {
		return err
	}
	partial := path + ".partial"
	if _, err := s.write.ExecContext(context.Background(), `VACUUM INTO ?`, partial); err != nil {
		return wrapSQLite("write the deleted journal again", err)
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
