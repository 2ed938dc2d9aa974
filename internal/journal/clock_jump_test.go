package journal

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"aldeabridge/events"
)

func TestAClockJumpSuspendsDeletionByAgeForADay(t *testing.T) {
	const day = 24 * time.Hour
	for name, c := range map[string]struct {
		wall, passed, jump, doubt time.Duration // since the last check
	}{
		"nothing":              {time.Minute, time.Minute, 0, 0},
		"a leap second":        {61 * time.Second, time.Minute, 0, 0},
		"asleep over weekend":  {2*day + 12*time.Hour, time.Minute, 0, 0},
		"a year ahead":         {365 * day, time.Minute, 365*day - time.Minute, day},
		"a year back":          {-365 * day, time.Minute, 0, 0},
		"a minute that is day": {4 * day, 4 * day, 0, 0},
	} {
		w := clockMonitor{maxAge: 30 * day, seen: noon}
		if jump := w.check(noon.Add(c.wall), c.passed); jump != c.jump || w.doubt != c.doubt {
			t.Errorf("%s: got a jump of %v and %v of doubt, want %v and %v", name, jump, w.doubt, c.jump, c.doubt)
		}
	}
	w := clockMonitor{maxAge: time.Hour, seen: noon}
	w.check(noon.Add(10*time.Minute), time.Minute)
	if w.doubt != time.Hour {
		t.Errorf("got %v of doubt where calls are kept for an hour, want that", w.doubt)
	}
	w.check(noon.Add(41*time.Minute), 31*time.Minute)
	if w.doubt != 29*time.Minute {
		t.Errorf("got %v of doubt after 31 minutes, want 29", w.doubt)
	}
}

func TestAWrongClockDeletesNoNewCall(t *testing.T) {
	const month = 30 * 24 * time.Hour
	s, err := Open(Options{Path: filepath.Join(t.TempDir(), "journal.db"), MaxAge: month})
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, s)
	put(t, s, event("A", "1"), ended("A"))
	aside := s.options.Path + asideSuffix + "20250101T000000.000Z"
	if err := os.WriteFile(aside, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	sweep := func(wall time.Time, passed time.Duration) {
		t.Helper()
		if err := errors.Join(s.checkClock(wall, passed), s.sweep(t.Context(), wall)); err != nil {
			t.Fatal(err)
		}
	}
	wrong := time.Now().Add(10 * month)
	sweep(wrong, time.Minute)
	if _, err := s.Call(t.Context(), "A"); err != nil || !exists(aside) || !s.Stats().ClockDoubted {
		t.Errorf("got %v, the old file there: %v, doubted: %v; want all kept, and the clock doubted", err, exists(aside), s.Stats().ClockDoubted)
	}
	sweep(wrong.Add(maxDoubt), maxDoubt)
	if _, err := s.Call(t.Context(), "A"); err == nil || exists(aside) || s.Stats().ClockDoubted {
		t.Errorf("got %v, the old file there: %v, doubted: %v; want all gone a day later", err, exists(aside), s.Stats().ClockDoubted)
	}
}

// A clock change between two runs is detected by the time of the newest event.
func TestAJournalWithOtherTimestampsWorks(t *testing.T) {
	for name, c := range map[string]struct {
		moved   time.Duration
		doubted bool
	}{"the clock is ahead": {-400 * 24 * time.Hour, true}, "the clock is back": {400 * 24 * time.Hour, false}} {
		t.Run(name, func(t *testing.T) {
			s := opened(t, "crm")
			put(t, s, event("A", "1"), event("A", "2"))
			closed(t, s)
			db, err := openDatabase(s.options.Path, writerPragmas, 1)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := db.Exec(fmt.Sprintf(`UPDATE events SET stored = stored + %d; UPDATE calls SET started = started + %[1]d`, c.moved)); err != nil {
				t.Fatal(err)
			}
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			if s, err = Open(Options{Path: s.options.Path, Endpoints: []string{"crm"}}); err != nil {
				t.Fatal(err)
			}
			defer closed(t, s)
			if got := s.Stats().ClockDoubted; got != c.doubted {
				t.Errorf("got doubted %v, want %v", got, c.doubted)
			}
			if got := places(put(t, s, events.Event{Call: events.Call{ID: "A"}, Body: events.DTMFReceived{Digit: "3"}})); got[0] != "A/3@3" {
				t.Errorf("got %v, want A/3@3", got)
			}
			if got, err := s.Read(t.Context(), 0, 9); err != nil || len(got) != 2 {
				t.Errorf("got %v %v, want both that waited", places(got), err)
			}
		})
	}
}
