package webhooks

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

// split is a journal whose calls named ill… go to the endpoint ill, and all others to the endpoint well.
type split struct{ *fakeJournal }

func (j split) Read(ctx context.Context, after int64, most int) ([]events.Record, error) {
	records, err := j.fakeJournal.Read(ctx, after, most)
	for i := range records {
		records[i].Owed = []string{"well"}
		if strings.HasPrefix(records[i].CallID, "ill") {
			records[i].Owed = []string{"ill"}
		}
	}
	return records, err
}

var crowdCalls = flag.Int("stuck.calls", 200, "calls at once, of which one in five goes to the endpoint that fails")

// crowd is many calls of 20 utterances, two seconds apart. One in five goes to ill.
type crowd struct {
	journal   *fakeJournal
	d         *Dispatcher
	well, ill *transport
	fixed     bool // ill works

	mu   sync.Mutex
	took []time.Duration // latency of the events of well, from the journal to the answer
}

const crowdUtterances = 20

func newCrowd(t *testing.T) *crowd {
	c := &crowd{journal: newFakeJournal()}
	c.well = newTransportOf(func(shot) reply { return reply{status: 200, after: 5 * ms} })
	c.ill = newTransportOf(func(s shot) reply {
		switch {
		case c.fixed:
			return reply{status: 200}
		case s.call[len(s.call)-1]%2 == 0:
			return reply{status: 200, after: hour} // no answer
		}
		return reply{status: 500}
	})
	d, err := New(Config{
		Journal: split{c.journal}, Transport: byHost{"well.test": c.well, "ill.test": c.ill}, Jitter: jitter,
		Endpoints: []Endpoint{
			{Name: "well", URL: "http://well.test", Secrets: []Secret{testSecret}},
			{Name: "ill", URL: "http://ill.test", Secrets: []Secret{testSecret}},
		},
		Observe: func(a Attempt) {
			c.mu.Lock()
			defer c.mu.Unlock()
			if a.Endpoint == "well" && a.State == StateDelivered {
				c.took = append(c.took, a.SinceStored)
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.d = d
	return c
}

// talk appends the events of the calls of well, and of those of ill if there are any. It takes 42 s.
func (c *crowd) talk(ill bool) {
	var talking sync.WaitGroup
	for i := range *crowdCalls {
		call := fmt.Sprint("well", i)
		if i%5 == 0 {
			call = fmt.Sprint("ill", i/5)
		}
		if i%5 == 0 && !ill {
			continue
		}
		talking.Go(func() {
			time.Sleep(2 * second * time.Duration(i) / time.Duration(*crowdCalls))
			c.journal.append(call, started)
			for range crowdUtterances {
				time.Sleep(2 * second)
				c.journal.append(call, said)
			}
			c.journal.append(call, ended)
		})
	}
	talking.Wait()
}

// An endpoint that fails permanently, with errors or without answers, delays no event for another endpoint. Its events are
// dead after three days, and one redelivery delivers them all in order.
func TestAPermanentlyFailingEndpointDelaysNoOtherAndCatchesUp(t *testing.T) {
	var p99 []time.Duration
	for _, ill := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := newCrowd(t)
			stop := running(t, c.d)
			defer stop()
			c.talk(ill)
			pass(second)
			toWell, toIll := *crowdCalls*4/5*(crowdUtterances+2), *crowdCalls/5*(crowdUtterances+2)
			if len(c.took) != toWell {
				t.Fatalf("got %d events at the endpoint that is well, want %d", len(c.took), toWell)
			}
			slices.Sort(c.took)
			p99 = append(p99, c.took[toWell*99/100])
			if !ill {
				return
			}
			if got := c.journal.settled() - toWell; got != 0 {
				t.Errorf("got %d events of the other given up within a minute, want none", got)
			}
			pass(74 * hour)
			dead := map[string]int{}
			for _, state := range c.journal.states {
				dead[state]++
			}
			if got := len(c.journal.states); got != toWell+toIll || dead[StateDelivered] != toWell {
				t.Errorf("got %v after three days, want %d delivered and %d dead", dead, toWell, toIll)
			}
			c.fixed = true
			before := len(c.ill.seen())
			if _, err := c.d.Redeliver(Redelivery{Endpoint: "ill", What: "dead", Next: c.dead}); err != nil {
				t.Fatal(err)
			}
			pass(time.Duration(toIll)*redeliveryInterval + second)
			next := map[string]int64{}
			for _, s := range c.ill.seen()[before:] {
				if next[s.call]++; s.n != next[s.call] {
					t.Errorf("%s: got event %d as number %d of what was sent again", s.call, s.n, next[s.call])
				}
			}
			if got := c.journal.count(StateDelivered); got != toWell+toIll || len(next) != *crowdCalls/5 {
				t.Errorf("got %d delivered after the redelivery, want all %d", got, toWell+toIll)
			}
			t.Logf("%v; %d attempts at the endpoint that failed; p99 of the others %s without it, %s beside it", dead, before, p99[0], p99[1])
		})
	}
	if p99[1] > p99[0] {
		t.Errorf("got p99 %s beside the endpoint that fails, want the %s without it: nobody waits in simulated time", p99[1], p99[0])
	}
}

// dead is the Next of a redelivery of all dead events of ill.
func (c *crowd) dead(_ context.Context, after int64, most int) (found []events.Record, err error) {
	c.journal.mu.Lock()
	defer c.journal.mu.Unlock()
	for _, r := range c.journal.records[after:] {
		if len(found) < most && strings.HasPrefix(c.journal.states[fmt.Sprintf("ill %d", r.Position)], deadPrefix) {
			found = append(found, r)
		}
	}
	return found, nil
}
