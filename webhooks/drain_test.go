package webhooks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

func TestDrainWaitsForAttemptsUnderWayAndUnreadEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(func(s shot) reply {
			if s.attempt == "1" {
				return reply{status: 500, after: second}
			}
			return reply{status: 200, after: second}
		})
		r := rigged(t, Config{Transport: tr})
		r.drain(t) // nothing to wait for
		r.journal.append("A", started)
		r.journal.append("A", said)
		r.journal.append("B", said)
		r.drain(t) // the dispatcher has had no time to read them
		r.wantStates(t, StateDelivered, StateDelivered, StateDelivered)
	})
}

func TestDrainWaitsForEventsAppendedWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(func(shot) reply { return reply{status: 200, after: second} })})
		r.journal.append("A", said)
		go func() {
			time.Sleep(500 * ms)
			r.journal.append("A", ended)
		}()
		r.drain(t)
		r.wantStates(t, StateDelivered, StateDelivered)
	})
}

func TestDrainEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(always(500))})
		r.journal.append("A", said)
		ctx, cancel := context.WithTimeout(context.Background(), 10*second)
		defer cancel()
		if err := r.d.Drain(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want the deadline", err)
		}
		r.stop()
		if err := r.d.Drain(context.Background()); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v after the end of Run, want ErrStopped", err)
		}
		if err := r.d.Run(context.Background()); !errors.Is(err, ErrStopped) {
			t.Errorf("got %v from a second Run, want ErrStopped", err)
		}
	})
}

func TestAStopCancelsAttemptsAndLogsUndeliveredEvents(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var o observed
		tr := newTransportOf(func(shot) reply { return reply{status: 200, after: 5 * second} })
		r := rigged(t, Config{Transport: tr, Observe: o.see, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		r.journal.append("A", said)
		r.journal.append("A", said)
		r.journal.append("B", said)
		pass(second)
		began := time.Now()
		r.stop()
		if waited := time.Since(began); waited > 0 {
			t.Errorf("stopping took %s", waited)
		}
		r.wantStates(t, "", "", "")
		if got := o.seen(); len(got) != 0 {
			t.Errorf("got %+v observed, want nothing: the attempts did not come to an end of their own", got)
		}
		if want := "msg=\"webhook events not delivered at shutdown\" endpoint=main events=3"; !strings.Contains(log.String(), want) {
			t.Errorf("got log %s, want %s", log.String(), want)
		}
	})
}

// slowJournal is a journal whose Settle takes time.
type slowJournal struct {
	*fakeJournal
	err error
}

func (j slowJournal) Settle(ctx context.Context, position int64, endpoint, state string) error {
	time.Sleep(second)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if j.err != nil {
		return j.err
	}
	return j.fakeJournal.Settle(ctx, position, endpoint, state)
}

func TestADeliveryIsRecordedEvenWhileStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := slowJournal{newFakeJournal(), nil}
		d, err := New(Config{
			Journal: journal, Transport: newTransportOf(always(200)),
			Endpoints: []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		journal.append("A", said)
		pass(500 * ms)
		stop()
		if got := journal.state("main", 1); got != StateDelivered {
			t.Errorf("got state %q, want delivered", got)
		}
	})
}

func TestAnAnswerThatComesWhileStoppingCounts(t *testing.T) {
	for status, want := range map[int]string{200: StateDelivered, 500: "", 410: ""} {
		synctest.Test(t, func(t *testing.T) {
			tr := newTransportOf(func(shot) reply {
				time.Sleep(second) // the answer was sent before the stop
				return reply{status: status}
			})
			r := rigged(t, Config{Transport: tr})
			r.journal.append("A", said)
			pass(500 * ms)
			r.stop()
			if got := r.journal.state("main", 1); got != want {
				t.Errorf("%d: got state %q, want %q", status, got, want)
			}
		})
	}
}

func TestALaneGoesOnWhenTheJournalCannotSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		journal := slowJournal{newFakeJournal(), errors.New("disk full")}
		tr := newTransportOf(always(200))
		d, err := New(Config{
			Journal: journal, Transport: tr, Logger: slog.New(slog.NewTextHandler(&log, nil)),
			Endpoints: []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		journal.append("A", said)
		journal.append("A", said)
		if err := d.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		stop()
		if got := tr.order(); got != "A/1 A/2" {
			t.Errorf("got %s, want both events once", got)
		}
		if n := strings.Count(log.String(), "webhook state not recorded"); n != 2 {
			t.Errorf("got %d lines about it, want 2:\n%s", n, log.String())
		}
	})
}

// brokenJournal is a journal whose Read fails for a time.
type brokenJournal struct {
	*fakeJournal
	until time.Time
	reads int
}

func (j *brokenJournal) Read(ctx context.Context, after int64, most int) ([]events.Record, error) {
	j.reads++
	if time.Now().Before(j.until) {
		return nil, errors.New("disk on fire")
	}
	return j.fakeJournal.Read(ctx, after, most)
}

func TestAJournalThatCannotBeReadIsTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := &brokenJournal{fakeJournal: newFakeJournal(), until: time.Now().Add(time.Minute)}
		d, err := New(Config{
			Journal: journal, Transport: newTransportOf(always(200)),
			Endpoints: []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		journal.append("A", said)
		pass(66 * second)
		stop()
		if got := journal.state("main", 1); got != StateDelivered {
			t.Errorf("got state %q, want delivered", got)
		}
		if journal.reads > 25 {
			t.Errorf("got %d reads of a broken journal in a minute", journal.reads)
		}
	})
}

func TestReadingBeginsAfterTheGivenPosition(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		journal := newFakeJournal()
		for range 600 { // more than one batch
			journal.append("A", said)
		}
		tr := newTransportOf(always(200))
		d, err := New(Config{
			Journal: journal, After: 10, Transport: tr,
			Endpoints: []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		if err := d.Drain(context.Background()); err != nil {
			t.Error(err)
		}
		stop()
		shots := tr.seen()
		if len(shots) != 590 || shots[0].n != 11 {
			t.Errorf("got %d events from %d on, want 590 from 11 on", len(shots), shots[0].n)
		}
	})
}

func TestPositionsMayHaveHoles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := newTransportOf(always(200))
		r := rigged(t, Config{Transport: tr})
		r.journal.set(func(j *fakeJournal) { j.stride = 10 })
		for range 3 {
			r.journal.append("A", said)
			r.drain(t)
		}
		if got := tr.order(); got != "A/1 A/2 A/3" || r.journal.state("main", 30) != StateDelivered {
			t.Errorf("got %s, want each event once", got)
		}
	})
}

func TestIdleLanesAreRemovedWhenTheirCallsAreOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(always(200))})
		r.journal.append("up", started)
		for range 100 {
			r.journal.append("over", started)
			r.journal.append("over", ended)
		}
		r.drain(t)
		main := r.d.receivers[0]
		main.mu.Lock()
		defer main.mu.Unlock()
		if len(main.lanes) != 1 || main.lanes["up"] == nil || main.lanes["up"].state != idle {
			t.Errorf("got %d lanes, want the idle one of the call that is up", len(main.lanes))
		}
	})
}

func TestLanesOfCallsWithoutAnEndAreRemovedAfterMaxCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := rigged(t, Config{Transport: newTransportOf(always(200))})
		for i := range 2048 {
			r.journal.append(fmt.Sprint("call", i), started)
		}
		pass(maxCall + hour)
		r.journal.append("another", started)
		r.drain(t)
		main := r.d.receivers[0]
		main.mu.Lock()
		defer main.mu.Unlock()
		if len(main.lanes) != 1 {
			t.Errorf("got %d lanes, want one", len(main.lanes))
		}
	})
}
