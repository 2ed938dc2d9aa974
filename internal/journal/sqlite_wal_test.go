package journal

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
)

// state is the content of the files on disk.
type state struct{ db, log []byte }

func stateOf(t *testing.T, s *Store) state {
	t.Helper()
	return state{read(t, s.options.Path), read(t, s.options.Path+"-wal")}
}

// torn returns a file of which some changes were not synced: each sector is as before or after.
func torn(r *rand.Rand, before, after []byte, survives float64) []byte {
	found := bytes.Clone(before)
	if r.Float64() < survives { // the length is a change, too
		found = append(found, make([]byte, max(0, len(after)-len(before)))...)[:len(after)]
	}
	for at := 0; at < len(after); at += 512 {
		sector := after[at:min(at+512, len(after))]
		if at < len(before) && bytes.Equal(sector, before[at:min(at+512, len(before))]) || r.Float64() >= survives {
			continue
		}
		if end := at + len(sector); end > len(found) {
			found = append(found, make([]byte, end-len(found))...)
		}
		copy(found[at:], sector)
	}
	return found
}

// The files that a power cut leaves at any time are not reported as damaged.
func TestAPowerCutIsNotDamage(t *testing.T) {
	s := opened(t, "crm")
	for i := range 8 {
		put(t, s, said("old", "", strings.Repeat("many words ", 1000), i), event("B", "1"), said("older", "", strings.Repeat("many words ", 1000), i))
	}
	put(t, s, ended("old"), ended("older"))
	if err := s.truncateWAL(t.Context()); err != nil {
		t.Fatal(err)
	}
	moved := func(how string) func() { return func() { checkpointed(t, s, how) } }
	some := func() { put(t, s, event("A", "1"), event("A", "2"), event("C", "1"), event("A", "3")) }
	shrink := func(call string, empty bool) func() {
		return func() {
			_, err := s.sweepOnce(t.Context(), `SELECT key, id FROM calls WHERE id = ?`, call)
			if empty {
				err = errors.Join(err, s.truncateWAL(t.Context()))
			}
			if err := errors.Join(err, s.releasePages(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
	}
	steps := []struct {
		name   string
		do     func()
		synced bool // it is more than one transaction: each was synced
	}{
		{"a transaction", func() { put(t, s, event("A", "1")) }, false},
		{"several", some, true},
		{"one more", func() { put(t, s, said("A", "", "what was said", 9)) }, false},
		{"moved to the file", moved("PASSIVE"), false},
		{"the log begun anew", func() { put(t, s, event("A", "4")) }, false},
		{"again", some, true},
		{"moved again", moved("PASSIVE"), false},
		{"begun anew again", func() { put(t, s, event("D", "5")) }, false},
		{"a call deleted", shrink("old", false), true},
		{"the file shrunk", moved("PASSIVE"), false},
		{"begun anew after that", func() { put(t, s, event("D", "6")) }, false},
		{"another deleted", shrink("older", true), true},
		{"the file shrunk more", moved("PASSIVE"), false},
		{"cut to nothing", moved("TRUNCATE"), false},
		{"begun from nothing", some, true},
	}
	before := stateOf(t, s)
	r := rand.New(rand.NewPCG(5, 5))
	for _, step := range steps {
		step.do()
		after := stateOf(t, s)
		for range cases(20) {
			survives := r.Float64()
			found := state{torn(r, before.db, after.db, survives), torn(r, before.log, after.log, survives)}
			if step.synced {
				found = after
			}
			p := picture{db: found.db, log: found.log}
			path := p.put(t)
			if cause, err := damage(path); cause != "" || err != nil {
				t.Errorf("%s, of which %.0f %% survived: got %q %v, want no damage", step.name, 100*survives, cause, err)
			}
		}
		before = after
	}
}

func TestAWALBrokenInTheMiddleIsDamage(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, event("A", "1"))
	first := len(read(t, s.options.Path+"-wal"))
	put(t, s, event("A", "2"), event("A", "3"), event("A", "4"), event("A", "5"))
	found := stateOf(t, s)
	for _, at := range []int{20, first + frameHeader + 100, first + 9, first + 17} { // salt, page, salt of a frame, its sum
		log := bytes.Clone(found.log)
		log[at] ^= 4
		path := picture{db: found.db, log: log}.put(t)
		if cause, err := damage(path); cause == "" || err != nil {
			t.Errorf("byte %d: got %q %v, want damage", at, cause, err)
		}
	}
	checkpointed(t, s, "PASSIVE")
	moved := stateOf(t, s)
	moved.log[first+frameHeader+100] ^= 4
	if cause, err := damage(picture{db: moved.db, log: moved.log}.put(t)); cause != "" || err != nil {
		t.Errorf("got %q %v for a log that is in the file already, want no damage", cause, err)
	}
}

// checkpointed moves the WAL into the database file.
func checkpointed(t *testing.T, s *Store, how string) {
	t.Helper()
	done := make(chan error, 1)
	move := func(w *writer) error {
		_, err := w.conn.ExecContext(w.ctx, `PRAGMA wal_checkpoint(`+how+`)`)
		return err
	}
	if err := s.submit(t.Context(), &task{do: move, result: done}); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}
