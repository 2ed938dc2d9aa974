package webhooks

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

// waiting is the Next of a redelivery of all waiting events of main.
func (j *fakeJournal) waiting(_ context.Context, after int64, most int) (found []events.Record, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if len(found) < most && r.Position > after && j.states[fmt.Sprintf("main %d", r.Position)] == "" {
			r.Body, r.Owed = nil, []string{"main"}
			found = append(found, r)
		}
	}
	return found, nil
}

// failing is a script of an endpoint that answers status to these calls while fails is true, and 200 to all others.
func failing(status int, fails *bool, calls ...string) func(shot) reply {
	return func(s shot) reply {
		if *fails && slices.Contains(calls, s.call) {
			return reply{status: status}
		}
		return reply{status: 200}
	}
}

// of returns the shots of a call.
func of(shots []shot, call string) (found []shot) {
	for _, s := range shots {
		if s.call == call {
			found = append(found, s)
		}
	}
	return found
}

// When an endpoint accepts an event of any call, its waiting events are tried soon, in order.
func TestWaitingEventsAreTriedSoonWhenTheEndpointAcceptsAgain(t *testing.T) {
	for _, status := range []int{500, 404} { // failures that count for the breaker, and others
		synctest.Test(t, func(t *testing.T) {
			down := true
			tr := newTransportOf(failing(status, &down, "A", "B"))
			r := rigged(t, Config{Transport: tr})
			for range 3 {
				r.journal.append("A", said)
			}
			r.journal.append("A", ended)
			r.journal.append("B", ended)
			pass(4 * hour) // the next attempt is hours away
			down = false
			before := time.Since(tr.began)
			r.journal.append("C", started)
			pass(2 * second)
			got := after(tr.seen(), before)
			var order []int64
			for _, s := range of(got, "A") {
				order = append(order, s.n)
			}
			if !slices.Equal(order, []int64{1, 2, 3, 4}) || len(of(got, "B")) != 1 {
				t.Errorf("%d: got %v, want all events of A, in order, and that of B", status, got)
			}
			if n := r.journal.count(StateDelivered); n != 6 {
				t.Errorf("%d: got %d delivered, want 6", status, n)
			}
		})
	}
}

// A call whose events are rejected, while those of other calls are accepted, keeps its whole schedule and gets few early
// attempts.
func TestEarlyAttemptsDoNotAdvanceTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		tr := newTransportOf(failing(500, &down, "A"))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		const end = 27*hour + 42*minute + 35*second
		for at := time.Duration(0); at < end; at += 10 * second {
			r.journal.append("B", said)
			pass(10 * second)
		}
		pass(10 * second)
		r.wantStates(t, ReasonExhausted.State())
		got := of(tr.seen(), "A")
		if last := got[len(got)-1].at; last != end {
			t.Errorf("got the last attempt after %s, want %s", last, end)
		}
		if len(got) < 10 || len(got) > 50 {
			t.Errorf("got %d attempts, want 10 and at most 40 early ones", len(got))
		}
		for i := range got[1:] {
			if gap := got[i+1].at - got[i].at; gap < 500*ms {
				t.Errorf("got attempt %d %s after the one before", i+2, gap)
			}
		}
	})
}

func TestARedeliveryTriesWaitingEventsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		tr := newTransportOf(failing(500, &down, "A"))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", said)
		r.journal.append("A", ended)
		pass(4 * hour)
		ask := func() RedeliveryStatus {
			t.Helper()
			id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "waiting", Next: r.journal.waiting})
			if err != nil {
				t.Fatal(err)
			}
			pass(second)
			return finished(t, r.d, id)
		}
		due := r.d.NextAttempt("main", "A")
		attempts := len(tr.seen())
		if got := ask(); got.Delivered != 0 || got.Failed != 2 {
			t.Errorf("got %+v, want two that failed", got)
		}
		if got := len(tr.seen()); got != attempts+1 {
			t.Errorf("got %d attempts, want one", got-attempts)
		}
		if got := r.d.NextAttempt("main", "A"); !got.Equal(due) || due.Before(time.Now().Add(time.Hour)) {
			t.Errorf("got the next attempt at %s, want it at %s as before", got, due)
		}
		down = false
		if got := ask(); got.Delivered != 2 || got.Failed != 0 {
			t.Errorf("got %+v, want two delivered", got)
		}
		for _, s := range tr.seen()[attempts+1:] {
			if s.call != "A" || s.attempt == "" {
				t.Errorf("got %+v, want attempts of A", s)
			}
		}
		if got := r.d.NextAttempt("main", "A"); !got.IsZero() {
			t.Errorf("got the next attempt at %s, want none", got)
		}
	})
}

// While the breaker is open, one probe decides for all lanes.
func TestARedeliveryProbesAFailingEndpoint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		tr := newTransportOf(func(shot) reply {
			if down {
				return reply{status: 500}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		for i := range 30 {
			r.journal.append(fmt.Sprint("call", i), said)
			r.journal.append(fmt.Sprint("call", i), ended)
		}
		pass(5 * hour)
		if got := r.d.Status()[0]; got.State != EndpointFailing {
			t.Fatalf("got %+v, want a failing endpoint", got)
		}
		if got, want := r.d.NextAttempt("main", "call7"), r.d.Status()[0].Until; got.Before(want) {
			t.Errorf("got the next attempt at %s, before that of the endpoint at %s", got, want)
		}
		for _, c := range []struct{ delivered, failed, requests int }{{0, 60, 1}, {60, 0, 60}} {
			before := len(tr.seen())
			id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "waiting", Next: r.journal.waiting})
			if err != nil {
				t.Fatal(err)
			}
			pass(4 * second) // the next probe by itself comes after five
			if got := finished(t, r.d, id); got.Delivered != c.delivered || got.Failed != c.failed {
				t.Errorf("got %+v, want %d delivered and %d that failed", got, c.delivered, c.failed)
			}
			if got := len(tr.seen()) - before; got != c.requests {
				t.Errorf("got %d requests, want %d", got, c.requests)
			}
			down = false
		}
		for i := range 30 {
			got := of(tr.seen(), fmt.Sprint("call", i))
			if last := got[len(got)-2:]; last[0].n != 1 || last[1].n != 2 {
				t.Errorf("call %d: got %v, want its events in order at the end", i, got)
			}
		}
	})
}

// A pause that an endpoint asked for is respected, also by redeliveries.
func TestARedeliveryRespectsAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.attempt == "1" && s.call == "A" {
				return reply{status: 503, header: http.Header{"Retry-After": {"600"}}}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		pass(second)
		id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "waiting", Next: r.journal.waiting})
		if err != nil {
			t.Fatal(err)
		}
		pass(second)
		if got := r.d.NextAttempt("main", "A").Sub(tr.began); got != 600*second {
			t.Errorf("got the next attempt after %s, want 600 s", got)
		}
		pass(10 * minute)
		wantTimes(t, tr.times(), 0, 600*second)
		if got := finished(t, r.d, id); got.Delivered != 1 {
			t.Errorf("got %+v, want it delivered", got)
		}
	})
}

// A redelivery that backs off is tried at once when it is requested again, with the same What or another.
func TestARepeatedRequestTriesAWaitingRedeliveryAtOnce(t *testing.T) {
	for _, what := range []string{"dead", "call A"} {
		synctest.Test(t, func(t *testing.T) {
			down := true
			tr := newTransportOf(failing(404, &down, "A"))
			r := rigged(t, Config{Transport: tr})
			r.journal.append("A", ended)
			r.drain(t)
			first, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "dead", Next: r.journal.dead})
			if err != nil {
				t.Fatal(err)
			}
			pass(4 * hour)
			down = false
			second, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: what, Next: r.journal.dead})
			if err != nil {
				t.Fatal(err)
			}
			pass(time.Second)
			for _, id := range []string{first, second} {
				if got := finished(t, r.d, id); got.Delivered != 1 {
					t.Errorf("%s: got %+v, want it delivered", what, got)
				}
			}
			r.wantStates(t, StateDelivered)
		})
	}
}

// A live call that fails alone keeps its own delays, and an early attempt sends the oldest event of its lane.
func TestAnEarlyAttemptIsOfTheOldestEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		refuseFirst := true
		tr := newTransportOf(func(s shot) reply {
			if s.call == "A" && s.n == 1 && refuseFirst {
				return reply{status: 500}
			}
			return reply{status: 200}
		})
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", said)
		second2 := r.journal.append("A", ended)
		pass(4 * hour)
		only := func(ctx context.Context, after int64, most int) ([]events.Record, error) {
			all, err := r.journal.waiting(ctx, after, most)
			return slices.DeleteFunc(all, func(r events.Record) bool { return r.Position != second2 }), err
		}
		id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "event 2", Next: only})
		if err != nil {
			t.Fatal(err)
		}
		r.journal.append("B", started)
		pass(10 * second)
		if got := finished(t, r.d, id); got.Failed != 1 {
			t.Errorf("got %+v, want it not sent before the event before it", got)
		}
		for _, s := range of(tr.seen(), "A") {
			if s.n != 1 {
				t.Errorf("got %+v, want attempts of the first event only", s)
			}
		}
		refuseFirst = false
		r.journal.append("B", said)
		pass(minute)
		if n := r.journal.count(StateDelivered); n != 4 {
			t.Errorf("got %d delivered, want 4", n)
		}
	})
}

func TestNoEarlyAttemptAfterTheStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := true
		tr := newTransportOf(failing(500, &down, "A"))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		pass(hour)
		r.journal.append("B", started) // the early attempt is due in a moment
		synctest.Wait()
		r.stop()
		n := len(tr.seen())
		pass(hour)
		if got := len(tr.seen()); got != n {
			t.Errorf("got %d requests after the end, want none", got-n)
		}
	})
}
