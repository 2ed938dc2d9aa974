package webhooks

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
	"aldeabridge/webhooks/webhooktest"
)

// unruly answers at random, from a seed: mostly with 200, sometimes late, sometimes with a fault. No answer makes an
// event a dead letter or disables the endpoint.
func unruly(seed uint64) func(webhooktest.Request) webhooktest.Answer {
	rng := rand.New(rand.NewPCG(seed, 1))
	return func(webhooktest.Request) webhooktest.Answer {
		var a webhooktest.Answer
		switch n := rng.IntN(100); {
		case n < 12:
			a = webhooktest.Status([]int{500, 502, 503, 404, 401, 409, 425, 302}[rng.IntN(8)])
		case n < 16:
			a = webhooktest.Fail(webhooktest.Reset)
		case n < 18:
			a = webhooktest.Fail(webhooktest.Half)
		case n < 19:
			a = webhooktest.Fail(webhooktest.Stall)
		case n < 20:
			a = webhooktest.Fail(webhooktest.Silent)
		case n < 21:
			a = webhooktest.RetryAfter(429, "1")
		case n < 22:
			a = webhooktest.RetryAfter(503, "2")
		}
		if rng.IntN(3) == 0 {
			a = webhooktest.When(in(time.Duration(rng.IntN(300))*ms), a)
		}
		return a
	}
}

// in is a channel that gives a value after d of the bubble's time.
func in(d time.Duration) <-chan struct{} {
	c := make(chan struct{})
	time.AfterFunc(d, func() { close(c) })
	return c
}

// talk appends the events of n calls, each at its own random pace. It returns when all have ended.
func talk(j *fakeJournal, seed uint64, calls, utterances int) {
	var wg sync.WaitGroup
	for i := range calls {
		rng := rand.New(rand.NewPCG(seed, uint64(i)+2))
		wg.Go(func() {
			call := fmt.Sprint("call", i)
			j.append(call, events.TypeCallStarted)
			for range utterances {
				time.Sleep(time.Duration(rng.IntN(2000)) * ms)
				j.append(call, events.TypeUtteranceFinal)
			}
			j.append(call, events.TypeCallEnded)
		})
	}
	wg.Wait()
}

func TestOrderIsKeptWhateverTheEndpointDoes(t *testing.T) {
	const calls, utterances = 12, 8
	for seed := range uint64(12) {
		synctest.Test(t, func(t *testing.T) {
			srv := webhooktest.NewInMemory(testSecret)
			defer srv.Close()
			srv.Script(unruly(seed))
			limit := []int{0, 1, 3, 8}[seed%4]
			r := rigged(t, Config{
				Dial: srv.Dial, Jitter: jitter,
				Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}, Concurrency: limit}},
			})
			defer r.stop() // before the server closes
			talk(r.journal, seed, calls, utterances)
			r.drain(t)
			got := srv.Report()
			if err := got.Err(); err != nil {
				t.Errorf("seed %d: %v", seed, err)
			}
			if want := calls * (utterances + 2); got.Delivered != want || r.journal.settled() != want {
				t.Errorf("seed %d: got %d delivered, %d settled, want %d", seed, got.Delivered, r.journal.settled(), want)
			}
			if got.Retries == 0 {
				t.Errorf("seed %d: nothing failed, so nothing was tested: %+v", seed, got)
			}
		})
	}
}

func TestAFailingCallDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.call == "stuck" {
				return reply{status: 200, after: hour}
			}
			return reply{status: 200, after: 10 * ms}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("stuck", started)
		for i := range 100 {
			pass(100 * ms)
			stored := time.Since(tr.began)
			r.journal.append("A", said)
			pass(20 * ms)
			shots := tr.seen()
			if last := shots[len(shots)-1]; last.call == "A" && last.at != stored {
				t.Fatalf("event %d of A was sent %s after it was stored", i, last.at-stored)
			}
			if got := r.journal.state("main", int64(i+2)); got != StateDelivered {
				t.Fatalf("event %d of A is %q", i, got)
			}
		}
	})
}

func TestManyFailingCallsLeaveSlotsForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if strings.HasPrefix(s.call, "stuck") {
				return reply{status: 200, after: hour}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		for i := range 120 { // each has failed at least once
			for n := range 5 {
				if i < 60 {
					r.journal.append(fmt.Sprint("stuck", i, "-", n), started)
				}
			}
			r.journal.append("other", said) // the endpoint works
			pass(second)
		}
		last := r.journal.append("A", started)
		pass(0)
		r.wantStates(t, make([]string, 5)...)
		if got := r.journal.state("main", last); got != StateDelivered {
			t.Errorf("got %q at once, want delivered", got)
		}
	})
}

func TestAnEndpointThatIsDownForTwentySecondsLosesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls, utterances = 10, 30
		flaky, steady := webhooktest.NewInMemory(testSecret), webhooktest.NewInMemory(testSecret)
		defer flaky.Close()
		defer steady.Close()
		var mu sync.Mutex
		worst := make(map[string]time.Duration)
		r := rigged(t, Config{
			Transport: byHost{"flaky.test": newTransport(Config{Dial: flaky.Dial}, Endpoint{}), "steady.test": newTransport(Config{Dial: steady.Dial}, Endpoint{})},
			Endpoints: []Endpoint{
				{Name: "flaky", URL: "http://flaky.test", Secrets: []Secret{testSecret}},
				{Name: "steady", URL: "http://steady.test", Secrets: []Secret{testSecret}},
			},
			Observe: func(a Attempt) {
				mu.Lock()
				defer mu.Unlock()
				if a.State == StateDelivered {
					worst[a.Endpoint] = max(worst[a.Endpoint], a.SinceStored)
				}
			},
		})
		defer r.stop()
		talked := make(chan struct{})
		go func() { defer close(talked); talk(r.journal, 7, calls, utterances) }()
		pass(5 * second)
		flaky.Down()
		pass(20 * second)
		flaky.Up()
		<-talked
		r.drain(t)
		for name, srv := range map[string]*webhooktest.Server{"flaky": flaky, "steady": steady} {
			got := srv.Report()
			if err := got.Err(); err != nil || got.Delivered != calls*(utterances+2) {
				t.Errorf("%s: got %d delivered, %v", name, got.Delivered, err)
			}
		}
		if worst["flaky"] < 15*second || worst["flaky"] > 26*second {
			t.Errorf("flaky: got a worst delivery of %s, want that of an outage of 20 s and a retry within 5 s", worst["flaky"])
		}
		if worst["steady"] > 0 {
			t.Errorf("steady: got a worst delivery of %s, want none delayed", worst["steady"])
		}
	})
}

func TestFilteredEventsAreSettledInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.attempt == "1" {
				return reply{status: 500}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr, Endpoints: []Endpoint{{
			Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}, Types: []events.Type{said},
		}}})
		r.journal.append("A", started)
		r.journal.append("A", said)
		r.journal.append("A", ended) // filtered, but it ends the call
		pass(ms)
		r.wantStates(t, StateFiltered, "", "")
		pass(4 * second)
		r.wantStates(t, StateFiltered, "", "")
		pass(2 * second)
		r.wantStates(t, StateFiltered, StateDelivered, StateFiltered)
		wantTimes(t, tr.times(), 0, 5*second)
	})
}
