package webhooks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

// finished returns the status of a finished redelivery.
func finished(t *testing.T, d *Dispatcher, id string) RedeliveryStatus {
	t.Helper()
	for _, s := range d.Redeliveries() {
		if s.ID == id && !s.Finished.IsZero() && s.Waiting == 0 {
			return s
		}
	}
	t.Fatalf("got %+v, want %s among them and finished", d.Redeliveries(), id)
	return RedeliveryStatus{}
}

func TestARedeliverySendsEventsAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fixed := false
		tr := newTransportOf(func(s shot) reply {
			if s.call == "bad" && !fixed {
				return reply{status: 422}
			}
			return reply{status: 200}
		})
		var log observed
		r := rigged(t, Config{Transport: tr, Observe: log.see, Actions: func(Reply) {}})
		for range 3 {
			r.journal.append("bad", said)
			r.journal.append("good", said)
		}
		r.drain(t)
		if got := r.journal.count(ReasonRejected.State()); got != 3 {
			t.Fatalf("got %d rejected, want 3", got)
		}
		fixed = true
		before := len(log.seen())
		w := Redelivery{Endpoint: "main", What: "dead", Next: r.journal.dead}
		id, err := r.d.Redeliver(w)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := r.d.Redeliver(w); err != nil || twice != id {
			t.Errorf("asked twice: got %s %v, want %s", twice, err, id)
		}
		if _, err := r.d.Redeliver(Redelivery{Endpoint: "nobody"}); !errors.Is(err, ErrNoEndpoint) {
			t.Errorf("got %v, want ErrNoEndpoint", err)
		}
		pass(second)
		seen := log.seen()[before:]
		if len(seen) != 3 {
			t.Fatalf("got %d attempts, want 3", len(seen))
		}
		for i, a := range seen {
			if a.CallID != "bad" || a.Sequence != int64(i+1) || a.Redelivery != id || a.Live || a.State != StateDelivered {
				t.Errorf("got %+v, want event %d of the redelivery", a, i+1)
			}
		}
		if got := r.journal.count(StateDelivered); got != 6 {
			t.Errorf("got %d delivered, want 6", got)
		}
		if got := finished(t, r.d, id); got.Delivered != 3 || got.Failed != 0 || got.Finished.Sub(got.Started) != 2*redeliveryInterval {
			t.Errorf("got %+v, want 3 delivered within 40 ms", got)
		}
		if again, err := r.d.Redeliver(w); err != nil || again == id {
			t.Errorf("asked again later: got %s %v, want a new one", again, err)
		}
		pass(second)
		r.stop()
		if _, err := r.d.Redeliver(w); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v, want ErrStopped", err)
		}
	})
}

func TestARedeliveryIsSlowAndDoesNotDelayACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(200))
		r := rigged(t, Config{Transport: tr})
		for i := range 500 {
			r.journal.append(fmt.Sprint("old", i), ended)
		}
		r.drain(t)
		began := time.Since(tr.began)
		all := func(_ context.Context, after int64, _ int) ([]events.Record, error) {
			r.journal.mu.Lock()
			defer r.journal.mu.Unlock()
			return r.journal.records[min(after, 500):500], nil
		}
		if _, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "all", Next: all}); err != nil {
			t.Fatal(err)
		}
		pass(5 * second)
		if got := len(after(tr.seen(), began)); got < 240 || got > 251 {
			t.Errorf("got %d in 5 s, want 250", got)
		}
		now := time.Since(tr.began)
		r.journal.append("A", started)
		pass(0)
		shots := after(tr.seen(), now)
		if !slices.ContainsFunc(shots, func(s shot) bool { return s.call == "A" && s.at == now }) {
			t.Errorf("got %v, want A at once", shots)
		}
		pass(10 * second)
		if got := len(after(tr.seen(), began)); got != 501 {
			t.Errorf("got %d requests, want 501", got)
		}
	})
}

func TestARedeliveryThatFailsChangesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(404))
		r := rigged(t, Config{Transport: tr})
		r.journal.append("A", ended)
		r.drain(t)
		r.wantStates(t, ReasonExhausted.State())
		id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "A", Next: r.journal.dead})
		if err != nil {
			t.Fatal(err)
		}
		pass(hour)
		if got := r.d.Redeliveries(); len(got) != 1 || !got[0].Finished.IsZero() || got[0].Waiting != 1 {
			t.Errorf("got %+v, want one under way with an event that waits", got)
		}
		pass(28 * hour)
		if got := len(tr.seen()); got != 20 {
			t.Errorf("got %d attempts, want 10 and 10", got)
		}
		r.wantStates(t, ReasonExhausted.State())
		if got := finished(t, r.d, id); got.Delivered != 0 || got.Failed != 1 {
			t.Errorf("got %+v, want one failed", got)
		}
	})
}

func TestARedeliveryProbesAFailingEndpointAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const fixed = 70 * hour
		tr := newTransportOf(outage(500, fixed))
		r := rigged(t, Config{Transport: tr})
		for i := range 20 {
			r.journal.append(fmt.Sprint("old", i), ended)
		}
		pass(fixed + second) // the next probe is seven hours away
		before := len(tr.seen())
		none := func(context.Context, int64, int) ([]events.Record, error) { return nil, nil }
		if _, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "nothing", Next: none}); err != nil {
			t.Fatal(err)
		}
		pass(5 * second)
		if got := r.d.Status()[0].State; got != EndpointOpen || len(tr.seen())-before != 20 {
			t.Errorf("got %s and %d requests, want an open endpoint that got all 20", got, len(tr.seen())-before)
		}
	})
}

func TestAHundredFinishedRedeliveriesStayVisible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(always(200))})
		r.journal.append("A", ended)
		r.drain(t)
		one := func(_ context.Context, after int64, _ int) ([]events.Record, error) {
			return r.journal.records[min(after, 1):1], nil
		}
		var ids []string
		for i := range 120 {
			id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: fmt.Sprint(i), Next: one})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
			pass(second)
		}
		got := r.d.Redeliveries()
		if len(got) != 100 || got[0].ID != ids[20] || got[99].ID != ids[119] {
			t.Fatalf("got %d from %s on, want the last 100, oldest first", len(got), got[0].ID)
		}
		for _, s := range got {
			if s.Delivered != 1 || s.Failed != 0 || s.Err != nil || s.Finished.IsZero() {
				t.Errorf("got %+v, want one delivered", s)
			}
		}
	})
}

func TestARedeliveryReportsAReadError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(func(shot) reply { return reply{status: 200, after: second} })})
		r.journal.append("A", ended)
		r.drain(t)
		broken := errors.New("disk on fire")
		half := func(_ context.Context, after int64, _ int) ([]events.Record, error) {
			if after > 0 {
				return nil, broken
			}
			return r.journal.records, nil
		}
		id, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: "half", Next: half})
		if err != nil {
			t.Fatal(err)
		}
		pass(500 * ms)
		if got := r.d.Redeliveries(); len(got) != 1 || !got[0].Finished.IsZero() {
			t.Errorf("got %+v, want it under way while its event is", got)
		}
		pass(second)
		if got := finished(t, r.d, id); got.Delivered != 1 || !errors.Is(got.Err, broken) {
			t.Errorf("got %+v, want one delivered and why that is not all", got)
		}
		forever := func(ctx context.Context, _ int64, _ int) ([]events.Record, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}
		if id, err = r.d.Redeliver(Redelivery{Endpoint: "main", What: "cut", Next: forever}); err != nil {
			t.Fatal(err)
		}
		r.stop()
		if got := finished(t, r.d, id); !errors.Is(got.Err, ErrStopped) {
			t.Errorf("got %+v, want ErrStopped", got)
		}
	})
}

func TestRedeliveriesShareOnePace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(200))
		r := rigged(t, Config{Transport: tr})
		for i := range 100 {
			r.journal.append(fmt.Sprint("old", i), ended)
		}
		r.drain(t)
		before := len(tr.seen())
		for i := range 20 { // five events each
			some := func(_ context.Context, after int64, _ int) ([]events.Record, error) {
				from := max(int(after), 5*i)
				return r.journal.records[from : 5*i+5], nil
			}
			if _, err := r.d.Redeliver(Redelivery{Endpoint: "main", What: fmt.Sprint(i), Next: some}); err != nil {
				t.Fatal(err)
			}
		}
		pass(second)
		if got := len(tr.seen()) - before; got < 49 || got > 51 {
			t.Errorf("got %d in a second, want 50", got)
		}
		pass(second)
		if got := len(tr.seen()) - before; got != 100 {
			t.Errorf("got %d in two seconds, want all 100", got)
		}
	})
}
