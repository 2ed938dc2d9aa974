package journal

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

// event returns a dtmf.received event of a call.
func event(callID, digit string) events.Event {
	return events.Event{Time: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC), Call: events.Call{ID: callID}, Body: events.DTMFReceived{Digit: digit}}
}

func ended(callID string) events.Event {
	return events.Event{Call: events.Call{ID: callID}, Body: events.CallEnded{Reason: events.EndStop}}
}

// unmarshalable is a stored body that cannot be marshaled.
type unmarshalable struct{ X func() }

func (unmarshalable) Type() events.Type { return "test.unmarshalable" }
func (unmarshalable) Stored() bool      { return true }

// appended appends events and fails the test on an error.
func appended(t *testing.T, m *Memory, es ...events.Event) (records []events.Record) {
	t.Helper()
	for _, e := range es {
		r, err := m.Append(t.Context(), e)
		if err != nil {
			t.Fatalf("Append: %v", err)
		}
		records = append(records, r)
	}
	return records
}

// places returns the call, sequence and position of records.
func places(records []events.Record) (s []string) {
	for _, r := range records {
		s = append(s, fmt.Sprintf("%s/%d@%d", r.CallID, r.Sequence, r.Position))
	}
	return s
}

func TestAppendAssignsPositionAndSequence(t *testing.T) {
	m := NewMemory(0, "crm")
	got := appended(t, m, event("A", "1"), event("B", "2"), event("A", "3"), ended("A"), event("B", "4"), event("A", "5"))
	want := []string{"A/1@1", "B/1@2", "A/2@3", "A/3@4", "B/2@5", "A/4@6"} // A was resumed after its end
	if !slices.Equal(places(got), want) {
		t.Errorf("got %v, want %v", places(got), want)
	}
	for _, r := range got {
		var e events.Event
		if err := e.UnmarshalJSON(r.Body); err != nil {
			t.Fatal(err)
		}
		if e.Sequence != r.Sequence || e.Call.ID != r.CallID || e.Body.Type() != r.Type || r.Stored.IsZero() || e.Time.IsZero() {
			t.Errorf("got record %+v of event %+v, want them to agree", r, e)
		}
		if !strings.HasPrefix(r.ID, "evt_") {
			t.Errorf("got id %q, want a new one", r.ID)
		}
	}
}

func TestAppendIsIdempotentByID(t *testing.T) {
	for name, endpoints := range map[string][]string{"while held": {"crm"}, "when freed": nil} {
		m := NewMemory(0, endpoints...)
		e := event("A", "1")
		e.ID = "evt_1"
		first := appended(t, m, e)[0]
		appended(t, m, event("A", "2"))
		again := appended(t, m, e)[0]
		if again.Position != first.Position || again.Sequence != 1 || again.ID != "evt_1" || string(again.Body) != string(first.Body) || !again.Stored.Equal(first.Stored) {
			t.Errorf("%s: got %+v, want %+v", name, again, first)
		}
		if s := m.Stats(); s.Appended != 2 || s.Repeated != 1 {
			t.Errorf("%s: got %+v, want 2 appended and 1 repeated", name, s)
		}
	}
}

func TestAppendRefusesInvalidEvents(t *testing.T) {
	m := NewMemory(0, "crm")
	for _, body := range []events.Body{nil, events.TranscriptInterim{Text: "hello"}, events.SpeechStarted{}} {
		if _, err := m.Append(t.Context(), events.Event{Body: body}); !errors.Is(err, ErrNotStored) {
			t.Errorf("%T: got %v, want ErrNotStored", body, err)
		}
	}
	if _, err := m.Append(t.Context(), events.Event{Call: events.Call{ID: "A"}, Body: unmarshalable{}}); err == nil {
		t.Error("body without JSON: got no error")
	}
	if got := places(appended(t, m, event("A", "1"))); got[0] != "A/1@1" {
		t.Errorf("got %s after refusals, want A/1@1", got[0])
	}
}

func TestAFullJournalRefusesEventsAndLosesNone(t *testing.T) {
	m := NewMemory(2, "crm")
	records := appended(t, m, event("A", "1"), event("A", "2"))
	if _, err := m.Append(t.Context(), event("A", "3")); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	got, err := m.Read(t.Context(), 0, 9)
	if err != nil || !slices.Equal(places(got), places(records)) {
		t.Errorf("got %v %v, want %v", places(got), err, places(records))
	}
	settle(t, m, 2, "crm")
	if got := places(appended(t, m, event("A", "3"))); got[0] != "A/3@3" {
		t.Errorf("got %s once there is room, want A/3@3", got[0])
	}
	if s := m.Stats(); s.Refused != 1 || s.Records != 2 {
		t.Errorf("got %+v, want 1 refused, 2 held", s)
	}
}

func TestTheSizeOfBodiesIsBounded(t *testing.T) {
	m := NewMemory(0, "crm")
	r := appended(t, m, event("A", "1"))[0]
	m.maxBytes = int64(2*len(r.Body)) - 1
	if _, err := m.Append(t.Context(), event("A", "2")); !errors.Is(err, ErrFull) {
		t.Fatalf("got %v, want ErrFull", err)
	}
	settle(t, m, 1, "crm")
	appended(t, m, event("A", "2"))
	if got := m.Stats().Bytes; got != int64(len(r.Body)) {
		t.Errorf("got %d bytes, want %d", got, len(r.Body))
	}
}

func TestReadReturnsUnsettledRecords(t *testing.T) {
	m := NewMemory(0, "crm", "log", "crm")
	appended(t, m, event("A", "1"), event("A", "2"), event("B", "3"), event("A", "4"))
	settle(t, m, 1, "crm")
	settle(t, m, 3, "log")
	settle(t, m, 3, "crm")
	settle(t, m, 3, "crm") // settling twice has no effect
	for _, tt := range []struct {
		after int64
		max   int
		want  []string
	}{
		{0, 9, []string{"A/1@1", "A/2@2", "A/3@4"}},
		{math.MinInt64, math.MaxInt, []string{"A/1@1", "A/2@2", "A/3@4"}},
		{0, 2, []string{"A/1@1", "A/2@2"}},
		{2, 9, []string{"A/3@4"}},
		{3, 0, []string{"A/3@4"}},
	} {
		got, err := m.Read(t.Context(), tt.after, tt.max)
		if err != nil || !slices.Equal(places(got), tt.want) {
			t.Errorf("Read(%d, %d): got %v %v, want %v", tt.after, tt.max, places(got), err, tt.want)
		}
	}
	if s := m.Stats(); s.Freed != 1 || s.Records != 3 {
		t.Errorf("got %+v, want 1 freed, 3 held", s)
	}
}

func TestSettleRefusesUnknownRecordsAndEndpoints(t *testing.T) {
	m := NewMemory(0, "crm")
	appended(t, m, event("A", "1"))
	for _, tt := range []struct {
		position int64
		endpoint string
		want     error
	}{{1, "log", ErrNoEndpoint}, {0, "crm", ErrNoRecord}, {2, "crm", ErrNoRecord}, {1, "crm", nil}, {1, "crm", nil}} {
		if err := m.Settle(t.Context(), tt.position, tt.endpoint, "delivered"); !errors.Is(err, tt.want) {
			t.Errorf("Settle(%d, %s): got %v, want %v", tt.position, tt.endpoint, err, tt.want)
		}
	}
}

func TestWithoutEndpointsNoRecordIsHeld(t *testing.T) {
	m := NewMemory(1)
	appended(t, m, event("A", "1"), event("A", "2"), event("A", "3"))
	if s := m.Stats(); s.Records != 0 || s.Bytes != 0 || s.Freed != 3 {
		t.Errorf("got %+v, want nothing held and 3 freed", s)
	}
}

func TestReadWaitsForARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(0, "crm")
		begin := time.Now()
		go func() {
			time.Sleep(time.Hour)
			appended(t, m, event("A", "1"))
			time.Sleep(time.Hour)
			appended(t, m, event("A", "2"))
		}()
		for after := range int64(2) {
			got, err := m.Read(t.Context(), after, 9)
			if err != nil || len(got) != 1 || got[0].Position != after+1 {
				t.Fatalf("got %v %v, want record %d", places(got), err, after+1)
			}
			if waited, want := time.Since(begin), time.Duration(after+1)*time.Hour; waited != want {
				t.Errorf("got record %d after %v, want after %v", after+1, waited, want)
			}
		}
	})
}

func TestReadEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(0, "crm")
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if _, err := m.Read(ctx, 0, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want DeadlineExceeded", err)
		}
		appended(t, m, event("A", "1"))
		if got, err := m.Read(ctx, 0, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v %v, want DeadlineExceeded although there is a record", places(got), err)
		}
	})
}

func TestCloseEndsReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(0, "crm")
		r := appended(t, m, event("A", "1"))[0]
		errs := make(chan error, 2)
		for range cap(errs) {
			go func() {
				_, err := m.Read(t.Context(), r.Position, 1)
				errs <- err
			}()
		}
		synctest.Wait()
		if err := errors.Join(m.Close(), m.Close()); err != nil {
			t.Fatal(err)
		}
		for range cap(errs) {
			if err := <-errs; !errors.Is(err, ErrClosed) {
				t.Errorf("waiting Read: got %v, want ErrClosed", err)
			}
		}
		if _, err := m.Read(t.Context(), 0, 1); !errors.Is(err, ErrClosed) {
			t.Errorf("Read: got %v, want ErrClosed", err)
		}
		if _, err := m.Append(t.Context(), event("A", "2")); !errors.Is(err, ErrClosed) {
			t.Errorf("Append: got %v, want ErrClosed", err)
		}
		settle(t, m, r.Position, "crm")
	})
}

func TestAppendersAndReadersTogetherLoseNothing(t *testing.T) {
	const callers, each = 8, 200
	m := NewMemory(callers*each, "crm", "log")
	var work sync.WaitGroup
	for c := range callers {
		work.Go(func() {
			for i := range each {
				if _, err := m.Append(t.Context(), event(fmt.Sprint("call", c), fmt.Sprint(i%10))); err != nil {
					t.Errorf("Append: %v", err)
				}
			}
		})
	}
	for _, endpoint := range []string{"crm", "log"} {
		work.Go(func() {
			next := map[string]int64{}
			for position := int64(0); position < callers*each; {
				records, err := m.Read(t.Context(), position, 7)
				if err != nil {
					t.Errorf("Read: %v", err)
					return
				}
				for _, r := range records {
					if r.Position != position+1 || r.Sequence != next[r.CallID]+1 {
						t.Errorf("%s: got %s/%d at %d, want sequence %d at %d", endpoint, r.CallID, r.Sequence, r.Position, next[r.CallID]+1, position+1)
					}
					position, next[r.CallID] = r.Position, r.Sequence
					if err := m.Settle(t.Context(), r.Position, endpoint, "delivered"); err != nil {
						t.Errorf("Settle: %v", err)
					}
				}
			}
		})
	}
	work.Wait()
	if s := m.Stats(); s.Freed != callers*each || s.Records != 0 || s.Bytes != 0 {
		t.Errorf("got %+v, want everything freed", s)
	}
}

func settle(t *testing.T, m *Memory, position int64, endpoint string) {
	t.Helper()
	if err := m.Settle(t.Context(), position, endpoint, "delivered"); err != nil {
		t.Errorf("Settle(%d, %s): %v", position, endpoint, err)
	}
}
