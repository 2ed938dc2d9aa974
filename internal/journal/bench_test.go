package journal

import (
	"context"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/events"
)

// utterance returns a typical event: 0.8 kB.
func utterance(callID string, i int) events.Event {
	words := make([]events.Word, 9)
	for k := range words {
		words[k] = events.Word{Text: "appointment", Start: events.Offset(k) * 1e8, End: events.Offset(k+1) * 1e8}
	}
	return events.Event{
		Time: time.Now(),
		Call: events.Call{ID: callID, StreamID: "MZ1", Carrier: "twilio", From: "+15550100001", To: "+15550100002", Direction: events.Inbound},
		Body: events.UtteranceFinal{Utterance: events.Utterance{
			ID: fmt.Sprintf("%s-%d", callID, i), Index: i, Speaker: events.Caller, Text: "I would like to move my appointment to number " + fmt.Sprint(i),
			Confidence: 0.9, Language: "en", Words: words, EndedBy: events.BySpeechFinal, Confirmed: true,
		}},
	}
}

// emptyJournal opens a store with one endpoint, and closes it at the end of the test.
func emptyJournal(b *testing.B) *Store {
	b.Helper()
	s, err := Open(Options{Path: filepath.Join(b.TempDir(), "journal.db"), Endpoints: []string{"crm"}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := s.Close(); err != nil {
			b.Error(err)
		}
	})
	return s
}

// BenchmarkAppend prints the events per second, and the duration of Append.
func BenchmarkAppend(b *testing.B) {
	for _, writers := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("writers=%d", writers), func(b *testing.B) {
			s := emptyJournal(b)
			var left atomic.Int64
			left.Store(int64(b.N))
			took := make([][]time.Duration, writers)
			var work sync.WaitGroup
			b.ResetTimer()
			for i := range writers {
				work.Go(func() {
					for n := 0; left.Add(-1) >= 0; n++ {
						e := utterance(fmt.Sprint("CA", i), n)
						began := time.Now()
						r, err := s.Append(context.Background(), e)
						if err != nil {
							b.Error(err)
						}
						took[i] = append(took[i], time.Since(began))
						if err := s.Settle(context.Background(), r.Position, "crm", "delivered"); err != nil {
							b.Error(err)
						}
					}
				})
			}
			work.Wait()
			b.StopTimer()
			report(b, slices.Concat(took...))
		})
	}
}

// BenchmarkSteadyAppend appends a fixed number of events a second from 500 calls, at random times. It prints how long Append
// took. Run it with -benchtime=2000x or more, so that the WAL is checkpointed several times.
func BenchmarkSteadyAppend(b *testing.B) {
	for _, rate := range []int{100, 200} {
		b.Run(fmt.Sprintf("rate=%d", rate), func(b *testing.B) {
			s := emptyJournal(b)
			took := make([]time.Duration, b.N)
			random := rand.New(rand.NewPCG(1, 1))
			var work sync.WaitGroup
			b.ResetTimer()
			next := time.Now()
			for i := range b.N {
				next = next.Add(time.Duration(random.ExpFloat64() * float64(time.Second) / float64(rate)))
				time.Sleep(time.Until(next))
				work.Go(func() {
					e := utterance(fmt.Sprint("CA", i%500), i/500)
					began := time.Now()
					r, err := s.Append(context.Background(), e)
					if err != nil {
						b.Error(err)
						return
					}
					took[i] = time.Since(began)
					s.Log(Attempt{EventID: r.ID, Endpoint: "crm", Number: 1, Started: began, Status: 200, Remote: "127.0.0.1:80", Answer: []byte("{}")})
					if err := s.Settle(context.Background(), r.Position, "crm", "delivered"); err != nil {
						b.Error(err)
					}
				})
			}
			work.Wait()
			b.StopTimer()
			report(b, took)
			b.ReportMetric(float64(took[len(took)*95/100].Microseconds())/1000, "ms/p95")
			b.ReportMetric(float64(took[len(took)-1].Microseconds())/1000, "ms/max")
			if commits := s.Stats().Commits; commits > 0 {
				b.ReportMetric(float64(s.Stats().CommitTime.Microseconds())/1000/float64(commits), "ms/commit")
				b.ReportMetric(float64(commits)/b.Elapsed().Seconds(), "commits/s")
			}
		})
	}
}

// report prints the rate and the percentiles of a benchmark's operations.
func report(b *testing.B, took []time.Duration) {
	slices.Sort(took)
	b.ReportMetric(float64(len(took))/b.Elapsed().Seconds(), "events/s")
	for _, p := range []int{50, 99} {
		b.ReportMetric(float64(took[(len(took)-1)*p/100].Microseconds())/1000, fmt.Sprintf("ms/p%d", p))
	}
}
