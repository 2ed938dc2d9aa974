package journal

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"aldeabridge/events"
)

// The size of a day: the number of calls, and of utterances per call.
const (
	dayCalls = 10_000
	dayWords = 20
)

// aDay returns a store with the calls of a day: 220,000 events. One call in a hundred is about pianos.
func aDay(tb testing.TB) *Store {
	tb.Helper()
	s, err := Open(Options{Path: filepath.Join(tb.TempDir(), "journal.db"), Endpoints: []string{"crm"}, MaxAge: -1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	const at = 500 // calls at once
	put := func(e events.Event) {
		r, err := s.Append(context.Background(), e)
		if err == nil && r.Position%100 != 0 { // some wait
			err = s.Settle(context.Background(), r.Position, "crm", "delivered")
		}
		if err != nil {
			tb.Error(err)
		}
	}
	var work sync.WaitGroup
	for w := range at {
		work.Go(func() {
			for c := w; c < dayCalls; c += at {
				id := fmt.Sprintf("CA%05d", c)
				start := noon.Add(time.Duration(c) * 8 * time.Second)
				e := utterance(id, 0)
				call := e.Call
				call.From = fmt.Sprintf("+1555%07d", c%2000)
				put(events.Event{Time: start, Call: call, Body: events.CallStarted{}})
				for i := range dayWords {
					e := utterance(id, i)
					e.Time, e.Call = start.Add(time.Duration(i)*time.Second), call
					if u := e.Body.(events.UtteranceFinal); c%100 == 0 && i == 7 {
						u.Utterance.Text = "My piano needs tuning"
						e.Body = u
					}
					put(e)
				}
				put(events.Event{Time: start.Add(time.Minute), Call: call, Body: events.CallEnded{}})
			}
		})
	}
	work.Wait()
	if err := s.flush(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return s
}

// BenchmarkDay runs typical queries on a journal of 10,000 calls.
func BenchmarkDay(b *testing.B) {
	s := aDay(b)
	ctx := context.Background()
	calls := func(f CallFilter) func() (int, error) {
		return func() (int, error) {
			got, _, err := s.Calls(ctx, f)
			return len(got), err
		}
	}
	search := func(text string) func() (int, error) {
		return func() (int, error) {
			got, _, err := s.Search(ctx, Search{Text: text})
			return len(got), err
		}
	}
	for _, q := range []struct {
		name string
		ask  func() (int, error)
		want int
	}{
		{"calls/newest", calls(CallFilter{}), 50},
		{"calls/thousand", calls(CallFilter{Limit: 1000}), 1000},
		{"calls/number", calls(CallFilter{Number: "+15550000042"}), 5},
		{"calls/called", calls(CallFilter{Number: "+15550100002"}), 50},
		{"calls/hour", calls(CallFilter{From: noon.Add(time.Hour), To: noon.Add(2 * time.Hour), Limit: 1000}), 450},
		{"calls/lost", calls(CallFilter{State: CallLost}), 0},
		{"calls/page=200", func() (n int, err error) {
			cursor := cursor(noon.Add(100*8*time.Second).UnixNano(), 0) // the last but one
			got, next, err := s.Calls(ctx, CallFilter{Cursor: cursor})
			if next == "" {
				return 0, fmt.Errorf("no next page")
			}
			return len(got), err
		}, 50},
		{"calls/all", func() (n int, err error) {
			for cursor := ""; ; {
				got, next, err := s.Calls(ctx, CallFilter{Cursor: cursor, Limit: 1000})
				if n += len(got); err != nil || next == "" {
					return n, err
				}
				cursor = next
			}
		}, dayCalls},
		{"search/rare", search("piano"), 50},
		{"search/everywhere", search("appointment"), 50},
		{"search/two", search("piano tuning"), 50},
		{"search/phrase", search(`"move my appointment"`), 50},
		{"search/beginning", search("appoint*"), 50},
		{"search/nowhere", search("harpsichord"), 0},
		{"events/call", func() (int, error) {
			got, err := s.Events(ctx, "CA05000", 0, 0)
			return len(got), err
		}, dayWords + 2},
		{"deliveries/dead", func() (int, error) {
			got, _, err := s.Deliveries(ctx, DeliveryFilter{State: "dead"})
			return len(got), err
		}, 0},
		{"deliveries/waiting", func() (int, error) {
			got, _, err := s.Deliveries(ctx, DeliveryFilter{State: "waiting"})
			return len(got), err
		}, 50},
	} {
		b.Run(q.name, func(b *testing.B) {
			for b.Loop() {
				if got, err := q.ask(); err != nil || got != q.want {
					b.Fatalf("got %d %v, want %d", got, err, q.want)
				}
			}
		})
	}
}

// BenchmarkRepair repairs a journal of 10,000 calls.
func BenchmarkRepair(b *testing.B) {
	s := aDay(b)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ResetTimer()
	for b.Loop() {
		if err := os.WriteFile(s.options.Path+markSuffix, nil, 0o600); err != nil {
			b.Fatal(err)
		}
		repaired, err := Open(s.options)
		if err != nil {
			b.Fatal(err)
		}
		if r := repaired.Stats().Salvage; r == nil || r.Events != dayCalls*(dayWords+2) || r.Lost != 0 {
			b.Fatalf("got %v, want all events carried over", r)
		}
		if err := repaired.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(dayCalls*(dayWords+2)*b.N)/b.Elapsed().Seconds(), "events/s")
}
