package webhooks

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// outage is a script of an endpoint that answers status until end and 200 from then on.
func outage(status int, end time.Duration) func(shot) reply {
	return func(s shot) reply {
		if s.at < end {
			return reply{status: status}
		}
		return reply{status: 200}
	}
}

// after returns the shots from a time on.
func after(shots []shot, from time.Duration) []shot {
	i := slices.IndexFunc(shots, func(s shot) bool { return s.at >= from })
	if i < 0 {
		return nil
	}
	return shots[i:]
}

func TestAnEndpointThatFailsIsTriedEveryFiveSecondsWhileACallIsUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(outage(500, 10*minute))
		r := rigged(t, Config{Transport: tr})
		for i := range 100 {
			r.journal.append(fmt.Sprint("call", i), started)
		}
		pass(20 * second)
		if got := r.d.Status()[0]; got.State != EndpointFailing || got.Waiting != 100 {
			t.Fatalf("got %+v, want a failing endpoint with 100 events", got)
		}
		down := after(tr.seen(), 20*second)
		if len(down) != 0 {
			t.Fatalf("got %v", down)
		}
		pass(10*minute - 20*second - ms)
		down = after(tr.seen(), 20*second)
		if got, want := len(down), 116; got != want {
			t.Errorf("got %d probes in 580 s, want %d", got, want)
		}
		for i, s := range down[1:] {
			if gap := s.at - down[i].at; gap != 5*second {
				t.Errorf("got a probe after %s, want 5 s", gap)
			}
			if s.call == down[i].call {
				t.Errorf("got %s twice in a row, want the lane that has waited longest", s.call)
			}
		}
		r.drain(t)
		up := after(tr.seen(), 10*minute)
		if len(up) != 100 {
			t.Errorf("got %d requests, want 100", len(up))
		}
		first := up[0].at
		within := func(d time.Duration) (n int) {
			for _, s := range up {
				if s.at < first+d {
					n++
				}
			}
			return n
		}
		if got := r.d.Status()[0]; got.State != EndpointOpen || within(minute) != 100 {
			t.Errorf("got %+v and %d in a minute, want all delivered", got, within(minute))
		}
	})
}

func TestARecoveredEndpointGetsTheBacklogGradually(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.at < minute {
				return reply{status: 502}
			}
			return reply{status: 200, after: 900 * ms}
		})
		r := rigged(t, Config{Transport: tr})
		for i := range 500 {
			r.journal.append(fmt.Sprint("late", i), ended)
		}
		for i := range 20 {
			r.journal.append(fmt.Sprint("live", i), started)
		}
		pass(minute)
		r.drain(t)
		up := after(tr.seen(), minute)
		back := up[0].at + 900*ms
		for second, want := range []int{5, 5} { // lanes that failed never have all of the slots
			n := 0
			for _, s := range up {
				if d := s.at - back; d >= time.Duration(second)*time.Second && d < time.Duration(second)*time.Second+900*ms {
					n++
				}
			}
			if n > 10<<second || n < want {
				t.Errorf("second %d: got %d requests, want %d to %d", second, n, want, 10<<second)
			}
		}
		for _, s := range up[:10] {
			if !strings.HasPrefix(s.call, "live") {
				t.Errorf("got %s among the first ten, want live calls", s.call)
			}
		}
	})
}

func TestOneFailingCallDoesNotOpenTheBreaker(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(500))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", started)
		pass(5 * minute)
		if got := r.d.Status()[0].State; got != EndpointOpen {
			t.Errorf("got %s after %d failures of one lane, want open", got, len(tr.seen()))
		}
	})
}

func TestHeldBackLanesUseNoAttemptsButExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const calls = 40
		tr := newTransportOf(outage(503, 60*hour))
		r := rigged(t, Config{Transport: tr})
		for i := range calls {
			r.journal.append(fmt.Sprint("call", i), ended)
		}
		pass(60*hour - second) // the schedule alone would have ended after 28
		r.wantStates(t, make([]string, calls)...)
		r.drain(t)
		r.wantStates(t, slices.Repeat([]string{StateDelivered}, calls)...)
	})
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply { return reply{err: errors.New("no route")} })
		r := rigged(t, Config{Transport: tr})
		for i := range 10 {
			r.journal.append(fmt.Sprint("call", i), ended)
		}
		pass(71 * hour)
		r.wantStates(t, make([]string, 10)...)
		pass(3 * hour)
		for p := int64(1); p <= 10; p++ {
			if got := r.journal.state("main", p); got != ReasonExpired.State() && got != ReasonEndpointDisabled.State() {
				t.Errorf("event %d: got %q after three days, want it dead", p, got)
			}
		}
	})
}

func TestAnEndpointThatAcceptsNothingForThreeDaysIsDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(outage(500, 80*hour))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("B", ended)
		for i := range 80 {
			r.journal.append(fmt.Sprint("A", i), ended)
			pass(hour)
		}
		if got := r.d.Status()[0].State; got != EndpointDisabled {
			t.Fatalf("got %s, want disabled", got)
		}
		before := len(tr.seen())
		last := r.journal.append("A", ended)
		pass(hour)
		if got := r.journal.state("main", last); got != ReasonEndpointDisabled.State() || len(tr.seen()) != before {
			t.Errorf("got %q and %d requests, want it dead at once", got, len(tr.seen())-before)
		}
		// A redelivery delivers it, and enables the endpoint.
		if _, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "all", Next: r.journal.dead}); err != nil {
			t.Fatal(err)
		}
		pass(minute)
		if got := r.d.Status()[0].State; got != EndpointOpen {
			t.Errorf("got %s after a redelivery, want open", got)
		}
		if n := r.journal.count(StateDelivered); n != 82 {
			t.Errorf("got %d delivered, want all 82", n)
		}
	})
}

func TestAnEventIsSentOnlyToTheEndpointsInOwed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newTransportOf(always(200)), newTransportOf(always(200))
		r := rigged(t, Config{
			Transport: byHost{"a.test": a, "b.test": b},
			Endpoints: []Endpoint{
				{Name: "a", URL: "http://a.test", Secrets: []Secret{testSecret}},
				{Name: "b", URL: "http://b.test", Secrets: []Secret{testSecret}},
			},
		})
		r.journal.set(func(j *fakeJournal) { j.owed = []string{"b"} })
		r.journal.append("A", said)
		r.drain(t)
		if len(a.seen()) != 0 || len(b.seen()) != 1 {
			t.Errorf("got %d requests at a and %d at b, want 0 and 1", len(a.seen()), len(b.seen()))
		}
	})
}

func TestALaneDoesNotHoldABigBacklog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(outage(500, minute))
		r := rigged(t, Config{Transport: tr})
		const most = 16 << 10
		r.d.receivers[0].maxBodies = most // nothing is read yet
		r.journal.set(func(j *fakeJournal) { j.pad = strings.Repeat("x", 1<<10) })
		for i := range 60 {
			r.journal.append("A", said)
			r.journal.append(fmt.Sprint("over", i), ended)
		}
		pass(30 * second)
		if got := r.d.Status()[0]; got.Bytes > 2*most || got.Bytes < most/2 || got.Waiting != 120 {
			t.Errorf("got %d bytes of %d events, want at most %d", got.Bytes, got.Waiting, 2*most)
		}
		r.drain(t)
		r.wantStates(t, slices.Repeat([]string{StateDelivered}, 120)...)
		if got := r.d.Status()[0].Bytes; got != 0 {
			t.Errorf("got %d bytes at the end, want none", got)
		}
	})
}

func TestAnEventThatWasDeletedIsDiscarded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(200))
		r := rigged(t, Config{Transport: tr})
		r.journal.set(func(j *fakeJournal) { j.bodiless = true })
		r.journal.append("A", said)
		r.journal.append("A", said)
		r.drain(t)
		r.journal.mu.Lock()
		r.journal.loadErr = map[int64]error{3: fmt.Errorf("%w", errGone), 4: errors.New("disk")}
		r.journal.mu.Unlock()
		r.journal.append("A", said)
		r.journal.append("A", said)
		pass(10 * second)
		r.wantStates(t, StateDelivered, StateDelivered, ReasonDiscarded.State(), "")
		r.journal.mu.Lock()
		r.journal.loadErr = nil
		r.journal.mu.Unlock()
		r.drain(t)
		r.wantStates(t, StateDelivered, StateDelivered, ReasonDiscarded.State(), StateDelivered)
		if got := tr.order(); got != "A/1 A/2 A/4" {
			t.Errorf("got %s", got)
		}
	})
}

func TestAnEndpointThatHadNothingToAcceptIsNotDisabled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.at >= 96*hour && s.at < 97*hour {
				return reply{status: 500}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		pass(96 * hour) // no calls for four days
		for i := range 40 {
			r.journal.append(fmt.Sprint("B", i), ended)
		}
		pass(30 * minute)
		if got := r.d.Status()[0].State; got == EndpointDisabled || len(tr.seen()) < disableAttempts {
			t.Errorf("got %s after %d attempts in half an hour, want it tried on", got, len(tr.seen()))
		}
		r.drain(t)
		if got := r.journal.count(StateDelivered); got != 41 {
			t.Errorf("got %d delivered, want all 41", got)
		}
	})
}

func TestARepeatedConnectionCountsOnceForTheBreaker(t *testing.T) {
	now := time.Now()
	r := rigged(t, Config{Transport: newTransportOf(always(200))})
	main, l := r.d.receivers[0], &lane{queue: make([]item, 1)}
	o := outcome{class: ClassRefused, err: errors.New("refused"), start: now, end: now}
	if d := main.applyOutcome(l, o); !d.again || main.breaker.failures != 0 {
		t.Errorf("got %+v and %d failures, want the attempt repeated and not counted", d, main.breaker.failures)
	}
	if d := main.applyOutcome(l, o); d.again || main.breaker.failures != 1 {
		t.Errorf("got %+v and %d failures, want one", d, main.breaker.failures)
	}
}

func TestTimeBeforeTheStartDoesNotCountForExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := newFakeJournal()
		for i := range 40 {
			journal.append(fmt.Sprint("call", i), ended)
		}
		pass(100 * hour) // the machine was off
		tr := newTransportOf(outage(500, minute))
		d, err := New(Config{
			Journal: journal, Transport: tr, Jitter: exactly,
			Endpoints: []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		defer stop()
		pass(40 * second)
		if got := d.Status()[0].State; got != EndpointFailing {
			t.Fatalf("got %s, want failing", got)
		}
		pass(hour)
		if got := journal.count(StateDelivered); got != 40 {
			t.Errorf("got %d delivered, %d expired; want all 40 delivered", got, journal.count(ReasonExpired.State()))
		}
	})
}
