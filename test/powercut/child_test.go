package powercut

import (
	"context"
	"fmt"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
)

// The variables that make this test's program a child.
const (
	childPath = "POWERCUT_PATH"
	childWork = "POWERCUT_WORK"
)

func TestMain(m *testing.M) {
	path := os.Getenv(childPath)
	if path == "" {
		os.Exit(m.Run())
	}
	s, err := journal.Open(journal.Options{Path: path, Endpoints: []string{"crm"}, MaxAge: -1})
	if err != nil {
		fmt.Println("error open", err)
		os.Exit(1)
	}
	switch os.Getenv(childWork) {
	case "append":
		appendForEver(s)
	case "steady":
		appendSteadily(s)
	}
}

// said is an event of 0.8 kB.
func said(callID string, i int) events.Event {
	words := make([]events.Word, 9)
	for k := range words {
		words[k] = events.Word{Text: "appointment", Start: events.Offset(k) * 1e8, End: events.Offset(k+1) * 1e8}
	}
	return events.Event{Time: time.Now(), Call: events.Call{ID: callID}, Body: events.UtteranceFinal{Utterance: events.Utterance{
		ID: fmt.Sprint(callID, "-", i), Text: "I would like to move my appointment to number " + fmt.Sprint(i), Words: words,
	}}}
}

// appendForEver says a line for each event that was acknowledged, and for each that was refused.
func appendForEver(s *journal.Store) {
	var work sync.WaitGroup
	for c := range 50 {
		work.Go(func() {
			for i := 0; ; i++ {
				r, err := s.Append(context.Background(), said(fmt.Sprint("CA", c), i))
				if err != nil {
					fmt.Println("refused", err)
					time.Sleep(10 * time.Millisecond)
					continue
				}
				fmt.Println("ack", r.CallID, r.Sequence, r.ID)
				if i%3 == 0 {
					if err := s.Settle(context.Background(), r.Position, "crm", "delivered"); err != nil {
						fmt.Println("error settle", err)
					}
				}
			}
		})
	}
	work.Wait()
}

// appendSteadily appends 500 events a second for ten seconds and says how long they took. The pause is shorter than a fifth
// of a second by what the calls need to begin one after the other.
func appendSteadily(s *journal.Store) {
	const calls, each, pause = 100, 50, 195 * time.Millisecond
	took := make([][]time.Duration, calls)
	began := time.Now()
	var work sync.WaitGroup
	for c := range calls {
		work.Go(func() {
			time.Sleep(pause * time.Duration(c) / calls)
			tick := time.NewTicker(pause)
			defer tick.Stop()
			for i := range each {
				<-tick.C
				at := time.Now()
				r, err := s.Append(context.Background(), said(fmt.Sprint("CA", c), i))
				if err != nil {
					fmt.Println("error append", err)
					os.Exit(1)
				}
				took[c] = append(took[c], time.Since(at))
				if err := s.Settle(context.Background(), r.Position, "crm", "delivered"); err != nil {
					fmt.Println("error settle", err)
				}
			}
		})
	}
	work.Wait()
	all := slices.Sorted(slices.Values(slices.Concat(took...)))
	rate := float64(len(all)) / time.Since(began).Seconds()
	fmt.Println("took", rate, all[len(all)/2].Microseconds(), all[len(all)*99/100].Microseconds())
	if err := s.Close(); err != nil {
		fmt.Println("error close", err)
	}
	os.Exit(0)
}
