package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"aldeabridge/events"
)

// A journal has the common methods of Memory and Store.
type journal interface {
	Append(context.Context, events.Event) (events.Record, error)
	Read(context.Context, int64, int) ([]events.Record, error)
	Load(context.Context, int64) (events.Record, error)
	Settle(context.Context, int64, string, string) error
	Close() error
}

var (
	_ journal = (*Memory)(nil)
	_ journal = (*Store)(nil)
)

// opened opens a store in a new directory.
func opened(t testing.TB, endpoints ...string) *Store {
	t.Helper()
	return openedAt(t, filepath.Join(t.TempDir(), "data", "journal.db"), endpoints...)
}

func openedAt(t testing.TB, path string, endpoints ...string) *Store {
	t.Helper()
	s, err := Open(Options{Path: path, Endpoints: endpoints, MaxAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s
}

// reopened closes s and opens its file again.
func reopened(t testing.TB, s *Store, endpoints ...string) *Store {
	t.Helper()
	closed(t, s)
	return openedAt(t, s.options.Path, endpoints...)
}

func closed(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// put appends events and fails the test on an error.
func put(t testing.TB, j journal, es ...events.Event) (records []events.Record) {
	t.Helper()
	for _, e := range es {
		r, err := j.Append(t.Context(), e)
		if err != nil {
			t.Fatalf("Append: %v", err)
		}
		records = append(records, r)
	}
	return records
}

func settled(t testing.TB, j journal, position int64, endpoint, state string) {
	t.Helper()
	if err := j.Settle(t.Context(), position, endpoint, state); err != nil {
		t.Errorf("Settle(%d, %s): %v", position, endpoint, err)
	}
}

func TestAStoreAssignsPositionAndSequence(t *testing.T) {
	s := opened(t, "crm")
	got := put(t, s, event("A", "1"), event("B", "2"), event("A", "3"), ended("A"), event("B", "4"), event("A", "5"))
	want := []string{"A/1@1", "B/1@2", "A/2@3", "A/3@4", "B/2@5", "A/4@6"}
	if !slices.Equal(places(got), want) {
		t.Errorf("got %v, want %v", places(got), want)
	}
	for _, r := range got {
		read, err := s.Load(t.Context(), r.Position)
		if err != nil || string(read.Body) != string(r.Body) || read.ID != r.ID {
			t.Errorf("Load(%d): got %+v %v, want what was appended", r.Position, read, err)
		}
	}
}

func TestAReopenedStoreContinuesPositionsAndSequences(t *testing.T) {
	s := opened(t, "crm", "log")
	e := event("A", "1")
	e.ID = "evt_1"
	first := put(t, s, e, event("B", "2"), event("A", "3"), event("C", "4"))
	settled(t, s, 1, "crm", "delivered")
	settled(t, s, 2, "crm", "delivered")
	settled(t, s, 2, "log", "filtered")
	s = reopened(t, s, "crm", "log")
	got, err := s.Read(t.Context(), 0, 9)
	if err != nil || !slices.Equal(places(got), []string{"A/1@1", "A/2@3", "C/1@4"}) {
		t.Fatalf("got %v %v, want what is not settled everywhere", places(got), err)
	}
	for i, want := range [][]string{{"log"}, {"crm", "log"}, {"crm", "log"}} {
		if !slices.Equal(got[i].Owed, want) {
			t.Errorf("record %d: got owed to %v, want %v", got[i].Position, got[i].Owed, want)
		}
	}
	if !got[0].Stored.Equal(first[0].Stored) {
		t.Errorf("got stored %v, want %v", got[0].Stored, first[0].Stored)
	}
	loaded, err := s.Load(t.Context(), 3)
	if err != nil || string(loaded.Body) != string(first[2].Body) {
		t.Errorf("got %s %v, want the bytes of the first time", loaded.Body, err)
	}
	again := put(t, s, e)[0]
	if again.Position != 1 || again.Sequence != 1 || string(again.Body) != string(first[0].Body) {
		t.Errorf("got %+v for an event of before, want %+v", again, first[0])
	}
	if got := places(put(t, s, event("A", "5"), event("B", "6"), event("D", "7"))); !slices.Equal(got, []string{"A/3@5", "B/2@6", "D/1@7"}) {
		t.Errorf("got %v, want the sequences to go on", got)
	}
	if got := s.Stats(); got.Appended != 3 || got.Repeated != 1 || got.Last != 7 || got.Waiting != 5+6 {
		t.Errorf("got %+v, want 3 appended, 1 repeated, 11 waiting", got)
	}
}

func TestAStoreReadsTheSameFromDiskAndMemory(t *testing.T) {
	s := opened(t, "crm")
	s.mu.Lock()
	s.recent.limit = 3
	s.mu.Unlock()
	var want []string
	for i := range 10 {
		want = append(want, places(put(t, s, event(fmt.Sprint("call", i), "1")))...)
	}
	settled(t, s, 2, "crm", "delivered")
	settled(t, s, 9, "crm", "delivered")
	want = slices.Delete(want, 8, 9)
	want = slices.Delete(want, 1, 2)
	var got []string
	for after := int64(0); after < 10; {
		records, err := s.Read(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, places(records)...)
		after = records[len(records)-1].Position
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestAStoreIsOpenOnce(t *testing.T) {
	s := opened(t)
	if _, err := Open(Options{Path: s.options.Path}); !errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want ErrInUse", err)
	}
}

func TestOnlyTheOwnerCanReadTheFiles(t *testing.T) {
	s := opened(t)
	put(t, s, event("A", "1"))
	for _, suffix := range []string{"", "-wal", "-shm", ".lock"} {
		info, err := os.Stat(s.options.Path + suffix)
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%q: got %v %v, want mode 0600", suffix, info.Mode(), err)
		}
	}
}

func TestAnUnwritableDirectoryIsAnError(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: filepath.Join(dir, "file", "journal.db")}); err == nil || errors.Is(err, ErrInUse) {
		t.Errorf("got %v, want an error that says why", err)
	}
}

func TestAStoreOfANewerVersionIsRefused(t *testing.T) {
	s := opened(t)
	closed(t, s)
	db, err := openDatabase(s.options.Path, writerPragmas, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`PRAGMA user_version = 999`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: s.options.Path}); !errors.Is(err, ErrNewer) {
		t.Errorf("got %v, want ErrNewer", err)
	}
}

func TestAClosedStoreRefusesEvents(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, event("A", "1"))
	errs := make(chan error, 1)
	go func() {
		_, err := s.Read(context.Background(), 1, 1)
		errs <- err
	}()
	closed(t, s)
	if err := <-errs; !errors.Is(err, ErrClosed) {
		t.Errorf("Read: got %v, want ErrClosed", err)
	}
	if _, err := s.Append(t.Context(), event("A", "2")); !errors.Is(err, ErrClosed) {
		t.Errorf("Append: got %v, want ErrClosed", err)
	}
	if err := s.Settle(t.Context(), 1, "crm", "delivered"); !errors.Is(err, ErrClosed) {
		t.Errorf("Settle: got %v, want ErrClosed", err)
	}
}

func TestAnInvalidEventDoesNotFailTheOthersOfItsBatch(t *testing.T) {
	s := opened(t, "crm")
	var work sync.WaitGroup
	for i := range 50 {
		work.Go(func() {
			if _, err := s.Append(t.Context(), event(fmt.Sprint("good", i%5), "1")); err != nil {
				t.Errorf("good: %v", err)
			}
		})
		work.Go(func() {
			if _, err := s.Append(t.Context(), events.Event{Call: events.Call{ID: fmt.Sprint("good", i%5)}, Body: unmarshalable{}}); err == nil {
				t.Error("bad: got no error")
			}
		})
	}
	work.Wait()
	for i := range 5 {
		if got := put(t, s, event(fmt.Sprint("good", i), "1"))[0].Sequence; got != 11 {
			t.Errorf("good%d: got sequence %d, want 11", i, got)
		}
	}
}

func TestAppendersAndReadersOfAStoreLoseNothing(t *testing.T) {
	const callers, each = 8, 50
	s := opened(t, "crm", "log")
	var work sync.WaitGroup
	for c := range callers {
		work.Go(func() {
			for i := range each {
				put(t, s, event(fmt.Sprint("call", c), fmt.Sprint(i%10)))
			}
		})
	}
	for _, endpoint := range []string{"crm", "log"} {
		work.Go(func() {
			next := map[string]int64{}
			for position := int64(0); position < callers*each; {
				records, err := s.Read(t.Context(), position, 7)
				if err != nil {
					t.Errorf("Read: %v", err)
					return
				}
				for _, r := range records {
					if r.Sequence != next[r.CallID]+1 {
						t.Errorf("%s: got %s/%d, want sequence %d", endpoint, r.CallID, r.Sequence, next[r.CallID]+1)
					}
					position, next[r.CallID] = r.Position, r.Sequence
					settled(t, s, r.Position, endpoint, "delivered")
				}
			}
		})
	}
	work.Wait()
	s = reopened(t, s, "crm", "log")
	if got := s.Stats(); got.Waiting != 0 || got.Last != callers*each {
		t.Errorf("got %+v, want everything settled", got)
	}
}

func TestANewEndpointGetsNoOldEventsAndARemovedOneKeepsItsDeliveries(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, event("A", "1"))
	s = reopened(t, s, "log")
	put(t, s, event("A", "2"))
	got, err := s.Read(t.Context(), 0, 9)
	if err != nil || !slices.Equal(places(got), []string{"A/2@2"}) {
		t.Errorf("log: got %v %v, want A/2@2", places(got), err)
	}
	s = reopened(t, s, "crm", "log")
	got, err = s.Read(t.Context(), 0, 9)
	if err != nil || !slices.Equal(places(got), []string{"A/1@1", "A/2@2"}) || !slices.Equal(got[0].Owed, []string{"crm"}) {
		t.Errorf("crm again: got %v %v, want A/1@1 owed to it", places(got), err)
	}
}
