package journal

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

func TestOldCountersAreRemoved(t *testing.T) {
	for _, tt := range []struct {
		name  string
		end   bool
		after time.Duration
		want  int64 // the sequence of the next event
	}{
		{"a call that ended just now goes on", true, endedFor, 4},
		{"a call that ended long ago is removed", true, endedFor + time.Second, 1},
		{"a silent call goes on", false, silentFor, 4},
		{"a call that was silent too long is removed", false, silentFor + time.Second, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := NewMemory(0)
				last := event("A", "3")
				if tt.end {
					last = ended("A")
				}
				appended(t, m, event("A", "1"), event("A", "2"), last)
				time.Sleep(tt.after)
				if got := appended(t, m, event("A", "4"))[0].Sequence; got != tt.want {
					t.Errorf("got sequence %d, want %d", got, tt.want)
				}
			})
		})
	}
}

func TestAResumedCallIsKeptLikeARunningOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(0)
		appended(t, m, event("A", "1"), ended("A"), event("A", "2"))
		time.Sleep(endedFor + time.Second)
		if got := appended(t, m, event("A", "3"))[0].Sequence; got != 4 {
			t.Errorf("got sequence %d, want 4", got)
		}
	})
}

func TestACallRunsUntilTheLastOfItsStreamsHasEnded(t *testing.T) {
	started := events.Event{Call: events.Call{ID: "A"}, Body: events.CallStarted{}}
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(0)
		appended(t, m, started, event("A", "1"), started, ended("A")) // the carrier came back before the first was drained
		time.Sleep(endedFor + time.Second)
		if got := appended(t, m, event("A", "2"))[0].Sequence; got != 5 {
			t.Errorf("one stream is left: got sequence %d, want 5", got)
		}
		appended(t, m, ended("A"), ended("A"), started) // an extra end event, before another stream
		time.Sleep(endedFor + time.Second)
		if got := appended(t, m, ended("A"))[0].Sequence; got != 9 {
			t.Errorf("another stream has begun: got sequence %d, want 9", got)
		}
		time.Sleep(endedFor + time.Second)
		if got := appended(t, m, started)[0].Sequence; got != 1 {
			t.Errorf("all have ended: got sequence %d, want 1", got)
		}
	})
}

func TestCountersOfEndedCallsAreBounded(t *testing.T) {
	m := NewMemory(0)
	m.calls.endedLimit = 10
	for i := range 100 {
		appended(t, m, ended(fmt.Sprint(i)))
	}
	if got := m.Stats().Calls; got > 11 {
		t.Errorf("got %d calls, want at most 11", got)
	}
	if got := appended(t, m, event("99", "1"))[0].Sequence; got != 2 {
		t.Errorf("the newest: got sequence %d, want 2", got)
	}
	if got := appended(t, m, event("0", "1"))[0].Sequence; got != 1 {
		t.Errorf("the oldest: got sequence %d, want 1", got)
	}
}

func TestRunningCallsAreBounded(t *testing.T) {
	m := NewMemory(0)
	m.calls.runningLimit = 2
	appended(t, m, event("A", "1"), event("B", "1"))
	if _, err := m.Append(t.Context(), event("C", "1")); !errors.Is(err, ErrFull) {
		t.Errorf("a third call: got %v, want ErrFull", err)
	}
	appended(t, m, event("A", "2"), ended("B"))
	if got := places(appended(t, m, event("C", "1"))); got[0] != "C/1@5" {
		t.Errorf("got %s once a call ended, want C/1@5", got[0])
	}
}

func TestTheLimitDoesNotChangeTheNumberOfFreedIDs(t *testing.T) {
	m := NewMemory(200_000)
	for range 3 * freedLimit {
		appended(t, m, event("A", "1"))
	}
	if got := len(m.index.records); got != freedLimit {
		t.Errorf("got %d ids, want %d", got, freedLimit)
	}
}

func TestFreedIDsAreBounded(t *testing.T) {
	m := NewMemory(0)
	m.index.limit = 3
	id := func(i int) events.Event {
		e := event("A", "1")
		e.ID = fmt.Sprint("evt_", i)
		return e
	}
	for i := range 5 {
		appended(t, m, id(i))
	}
	if got := len(m.index.records); got != 3 {
		t.Errorf("got %d ids, want 3", got)
	}
	if got := appended(t, m, id(2))[0].Position; got != 3 {
		t.Errorf("an id of the last three: got position %d, want its own, 3", got)
	}
	if got := appended(t, m, id(1))[0].Position; got != 6 {
		t.Errorf("an id before: got position %d, want a new one, 6", got)
	}
}

func TestAnOldRecordDoesNotKeepTheEntriesOfSettledOnes(t *testing.T) {
	m := NewMemory(0, "crm")
	appended(t, m, event("stuck", "1"))
	for i := range int64(10_000) {
		appended(t, m, event("A", "1"))
		settle(t, m, i+2, "crm")
	}
	if got := len(m.queue.held); got > 3 {
		t.Errorf("got %d places for 1 record, want no more than 3", got)
	}
	got, err := m.Read(t.Context(), 0, 9)
	if err != nil || len(got) != 1 || got[0].CallID != "stuck" {
		t.Errorf("got %v %v, want the stuck record", places(got), err)
	}
}

func TestASettledRecordFreesItsBodyAtOnce(t *testing.T) {
	m := NewMemory(0, "crm")
	appended(t, m, event("A", "1"), event("A", "2"), event("A", "3"))
	settle(t, m, 2, "crm")
	for _, h := range m.queue.held {
		if len(h.waits) == 0 && h.record.Body != nil {
			t.Errorf("record %d: got a body, want none", h.record.Position)
		}
	}
}

func TestSettlingDoesNotChangeReturnedRecords(t *testing.T) {
	m := NewMemory(0, "crm")
	want := string(appended(t, m, event("A", "1"))[0].Body)
	read, err := m.Read(t.Context(), 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	settle(t, m, 1, "crm")
	appended(t, m, event("B", "2"))
	if got := string(read[0].Body); got != want || read[0].CallID != "A" {
		t.Errorf("got %s, want %s", got, want)
	}
}
