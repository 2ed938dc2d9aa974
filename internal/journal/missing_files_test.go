package journal

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestDeletedFilesAreReportedAndWrittenAgain(t *testing.T) {
	for name, gone := range map[string]func(t *testing.T, path string){
		"the database":            func(t *testing.T, path string) { remove(t, path) },
		"the log":                 func(t *testing.T, path string) { remove(t, path+"-wal") },
		"the log's index":         func(t *testing.T, path string) { remove(t, path+"-shm") },
		"all of them":             func(t *testing.T, path string) { remove(t, path, path+"-wal", path+"-shm", path+".lock") },
		"the directory with them": func(t *testing.T, path string) { removeAll(t, filepath.Dir(path)) },
	} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, "crm")
			put(t, s, utterance("A", 0))
			if err := s.Health(); err != nil {
				t.Fatalf("got health %v before, want none", err)
			}
			gone(t, s.options.Path)
			if err := s.Health(); !errors.Is(err, ErrDeleted) {
				t.Errorf("got health %v, want ErrDeleted", err)
			}
			s.checkFiles("")
			put(t, s, utterance("A", 1))
			for range 2 * maxReaders { // all connections
				if got, err := s.Events(t.Context(), "A", 0, 10); err != nil || len(got) != 2 {
					t.Fatalf("got %d events, %v, want 2", len(got), err)
				}
			}
			copied := filepath.Join(t.TempDir(), "copy.db")
			if err := s.Backup(t.Context(), copied); err != nil {
				t.Fatal(err)
			}
			if got, err := openedAt(t, copied, "crm").Events(t.Context(), "A", 0, 10); err != nil || len(got) != 2 {
				t.Errorf("got %d events in the copy, %v, want 2", len(got), err)
			}
			s = reopened(t, s, "crm")
			records, err := s.Read(t.Context(), 0, 10)
			if err != nil || len(records) != 2 || s.Health() != nil {
				t.Errorf("got %d events, %v, health %v after a restart; want both and no error", len(records), err, s.Health())
			}
		})
	}
}

func TestAForeignFileAtTheJournalsPathIsNotModified(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, utterance("A", 0))
	remove(t, s.options.Path)
	if err := os.WriteFile(s.options.Path, []byte("another file"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.Health(); !errors.Is(err, ErrDeleted) {
		t.Errorf("got health %v, want ErrDeleted", err)
	}
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if b, err := os.ReadFile(s.options.Path); string(b) != "another file" {
		t.Errorf("got %q %v, want the other file as it was", b, err)
	}
}

func TestAJournalIsInUseAlsoWithoutItsLockFile(t *testing.T) {
	s := opened(t, "crm")
	remove(t, s.options.Path+".lock")
	if other, err := Open(Options{Path: s.options.Path, Endpoints: []string{"crm"}}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v %v from a second Open, want ErrInUse", other, err)
	}
}

// Events stored after the WAL was deleted are in the database file, so that they survive a kill.
func TestWithoutItsWALAJournalKeepsEvents(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, utterance("A", 0))
	remove(t, s.options.Path+"-wal")
	s.checkFiles("")
	put(t, s, utterance("A", 1))
	b, err := os.ReadFile(s.options.Path) // the file as a kill leaves it
	if err != nil {
		t.Fatal(err)
	}
	left := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(left, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := openedAt(t, left, "crm").Events(t.Context(), "A", 0, 10); err != nil || len(got) != 2 {
		t.Errorf("got %d events, %v, want 2", len(got), err)
	}
}

func TestAMovedDirectoryIsReportedUntilItIsBack(t *testing.T) {
	s := opened(t, "crm")
	dir := filepath.Dir(s.options.Path)
	for _, step := range []struct {
		from, to string
		want     error
	}{{dir, dir + ".old", ErrDeleted}, {dir + ".old", dir, nil}} {
		if err := os.Rename(step.from, step.to); err != nil {
			t.Fatal(err)
		}
		if err := s.Health(); !errors.Is(err, step.want) {
			t.Errorf("%s moved to %s: got health %v, want %v", step.from, step.to, err, step.want)
		}
		put(t, s, utterance("A", 0))
	}
	if name := s.checkFiles(s.options.Path); name != "" {
		t.Errorf("got %s missing, want all in their places", name)
	}
}

func TestAFileSystemThatBecomesReadOnlyIsReportedBeforeAnythingIsWritten(t *testing.T) {
	s := opened(t)
	readOnly := true
	s.options.readOnly = func(dir string) bool { return readOnly && dir == filepath.Dir(s.options.Path) }
	if err := s.Health(); !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got health %v, want ErrDisk and why", err)
	}
	readOnly = false
	if err := s.Health(); err != nil {
		t.Errorf("got health %v, want none", err)
	}
}

func remove(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

func removeAll(t *testing.T, dir string) {
	t.Helper()
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
}
