package journal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

// content returns the bytes of a store's files, in lower case.
func content(t *testing.T, s *Store) (all []byte) {
	t.Helper()
	for _, suffix := range []string{"", "-wal", "-shm"} {
		b, err := os.ReadFile(s.options.Path + suffix)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		all = append(all, bytes.ToLower(b)...)
	}
	return all
}

// traces counts the words that occur in content.
func traces(content []byte, words ...string) (n int) {
	for _, word := range words {
		if bytes.Contains(content, []byte(word)) {
			n++
		}
	}
	return n
}

// word returns a unique word. The full-text index omits the prefix that a word shares with the previous one, so the rest
// must be unique by itself.
func word(r *rand.Rand) string {
	b := make([]byte, 24)
	for i := range b {
		b[i] = 'a' + byte(r.IntN(26))
	}
	return string(b)
}

func TestADeletedCallLeavesNoTraceInTheFiles(t *testing.T) {
	const calls, each = 16, 10
	r := rand.New(rand.NewPCG(1, 2))
	s := opened(t, "crm")
	secrets := map[string][]string{}
	for i := range each {
		for c := range calls {
			id := fmt.Sprint("CA", c)
			w := word(r)
			secrets[id] = append(secrets[id], w)
			e := said(id, "+1555"+fmt.Sprint(c), "my card is "+w+" and I am "+strings.Repeat("very ", i*20)+"sure", i)
			put(t, s, e)
			s.Log(Attempt{EventID: e.ID, Endpoint: "crm", Answer: []byte("you said " + w)})
		}
	}
	for c := range calls {
		put(t, s, ended(fmt.Sprint("CA", c)))
	}
	put(t, s, said("up", "", "still here", 0))
	if err := s.DeleteCall(t.Context(), "up"); !errors.Is(err, ErrCallUp) {
		t.Errorf("a call that is up: got %v, want ErrCallUp", err)
	}
	if err := s.DeleteCall(t.Context(), "nobody"); !errors.Is(err, ErrNoCall) {
		t.Errorf("an unknown call: got %v, want ErrNoCall", err)
	}
	last := s.Last()
	for c := 0; c < calls; c += 2 {
		if err := s.DeleteCall(t.Context(), fmt.Sprint("CA", c)); err != nil {
			t.Fatal(err)
		}
	}
	files := content(t, s)
	for id, words := range secrets {
		var c int
		if _, err := fmt.Sscanf(id, "CA%d", &c); err != nil {
			t.Fatal(err)
		}
		var ends []string
		for _, w := range words {
			ends = append(ends, w[3:])
		}
		found := traces(files, ends...)
		if c%2 == 0 && found > 0 {
			t.Errorf("%s: got traces of %d utterances of a deleted call", id, found)
		}
		if c%2 == 1 && found != each {
			t.Errorf("%s: got traces of %d utterances of a call that is kept, want %d", id, found, each)
		}
		hits, _, err := s.Search(t.Context(), Search{Text: words[0]})
		if err != nil || len(hits) != c%2 {
			t.Errorf("%s: got %d hits, %v, want %d", id, len(hits), err, c%2)
		}
	}
	if err := s.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if got := put(t, s, event("new", "1"))[0].Position; got != last+1 {
		t.Errorf("got position %d, want %d", got, last+1)
	}
}

func TestPositionsAreNotReused(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, event("A", "1"), event("B", "2"), ended("B"))
	if err := s.DeleteCall(t.Context(), "B"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Read(t.Context(), 0, 9); err != nil || !slices.Equal(places(got), []string{"A/1@1"}) {
		t.Errorf("got %v %v, want A alone", places(got), err)
	}
	settled(t, s, 2, "crm", "delivered") // was under way
	s = reopened(t, s, "crm")
	if got := places(put(t, s, event("B", "3"))); got[0] != "B/1@4" {
		t.Errorf("got %v, want B/1@4", got)
	}
	if got := s.Stats().Waiting; got != 2 {
		t.Errorf("got %d waiting, want 2", got)
	}
}

func TestOldCallsAreDeleted(t *testing.T) {
	s := opened(t, "crm")
	now := time.Now()
	old := func(id string, body events.Body) events.Event {
		return events.Event{Time: now.Add(-31 * 24 * time.Hour), Call: events.Call{ID: id}, Body: body}
	}
	for i := range 10 {
		put(t, s, old(fmt.Sprint("old", i), events.DTMFReceived{}), ended(fmt.Sprint("old", i)))
	}
	put(t, s, old("up", events.DTMFReceived{}), event("new", "1"))
	settled(t, s, 1, "crm", "delivered")
	s.options.MaxAge = defaultMaxAge
	if err := s.sweep(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	calls, _, err := s.Calls(t.Context(), CallFilter{})
	if err != nil || len(calls) != 2 {
		t.Errorf("got %v %v, want up and new", ids(calls), err)
	}
	if got := s.Stats(); got.DeletedCalls != 10 || got.Abandoned != 19 || got.Waiting != 2 {
		t.Errorf("got %+v, want 10 calls deleted, 19 deliveries abandoned, 2 waiting", got)
	}
}

func TestAJournalAboveMaxBytesDeletesDeliveredCalls(t *testing.T) {
	s := opened(t, "crm")
	for i := range 30 {
		id := fmt.Sprint("CA", i)
		put(t, s, said(id, "", strings.Repeat("many words ", 2000), i), ended(id))
		if i != 0 {
			settled(t, s, s.Last()-1, "crm", "delivered")
			settled(t, s, s.Last(), "crm", "delivered")
		}
	}
	if err := s.truncateWAL(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := func() int64 {
		info, err := os.Stat(s.options.Path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := file()
	s.options.MaxBytes = before / 2
	if err := s.sweep(t.Context(), noon); err != nil {
		t.Fatal(err)
	}
	if size, err := s.Size(t.Context()); err != nil || size > before/2 {
		t.Errorf("got %d bytes %v, want at most %d", size, err, before/2)
	}
	calls, _, err := s.Calls(t.Context(), CallFilter{})
	if err != nil || len(calls) < 5 || calls[0].ID != "CA29" || calls[len(calls)-1].ID != "CA0" {
		t.Errorf("got %v %v, want the newest and what waits", ids(calls), err)
	}
	if err := s.truncateWAL(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after := file(); after > before*3/4 {
		t.Errorf("got a file of %d bytes, want less than before: %d", after, before)
	}
	s.options.MaxBytes = 1
	if err := s.sweep(t.Context(), noon); err != nil {
		t.Errorf("got %v, want no error although it cannot be done", err)
	}
	if calls, _, err := s.Calls(t.Context(), CallFilter{}); err != nil || !slices.Equal(ids(calls), []string{"CA0"}) {
		t.Errorf("got %v %v, want CA0, which waits", ids(calls), err)
	}
}

func TestABackupIsAJournal(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, said("A", "", "hello", 0), event("A", "1"))
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := s.Backup(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	put(t, s, event("A", "2"))
	if err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over a file: got %v, want ErrExist", err)
	}
	c := openedAt(t, path, "crm")
	got, err := c.Read(t.Context(), 0, 9)
	if err != nil || !slices.Equal(places(got), []string{"A/1@1", "A/2@2"}) {
		t.Errorf("got %v %v, want the two of before", places(got), err)
	}
	if hits, _, err := c.Search(t.Context(), Search{Text: "hello"}); err != nil || len(hits) != 1 {
		t.Errorf("got %v %v, want one hit", hits, err)
	}
}
