package journal

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestDeletedFilesAreReportedAndWrittenAgain(t *testing.T) {
	for name, gone := range map[string]func(t *testing.T, path string){
		"the database":            func(t *testing.T, path string) { remove(t, path) },
		"the log":                 func(t *testing.T, path string) { remove(t, path+"-wal") },
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
			if err := s.Backup(t.Context(), filepath.Join(t.TempDir(), "copy.db")); name != "the log" && !errors.Is(err, ErrDeleted) {
				t.Errorf("got %v from Backup, want ErrDeleted", err)
			}
			put(t, s, utterance("A", 1))
			s = reopened(t, s, "crm")
			records, err := s.Read(t.Context(), 0, 10)
			if err != nil || len(records) != 2 || s.Health() != nil {
				t.Errorf("got %d events, %v, health %v after a restart; want both and no trouble", len(records), err, s.Health())
			}
		})
	}
}

func TestAFileInThePlaceOfTheJournalIsNotTouched(t *testing.T) {
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
