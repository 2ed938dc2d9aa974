package webhooks

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
	"aldeabridge/webhooks/webhooktest"
)

func TestTenMinutesWithoutTheEndpointLoseNothingAndLiveCallsComeFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const live, late, answer = 10, 200, 20 * ms
		srv := webhooktest.NewInMemory(testSecret)
		defer srv.Close()
		srv.Script(func(webhooktest.Request) webhooktest.Answer { return webhooktest.When(in(answer), webhooktest.OK()) })
		r := rigged(t, Config{Dial: srv.Dial, Jitter: jitter, Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}}})
		defer r.stop() // before the server closes
		stored := 0
		say := func(call string, what ...events.Type) {
			for _, kind := range what {
				r.journal.append(call, kind)
				stored++
			}
		}
		for i := range live {
			say(fmt.Sprint("live", i), started)
		}
		pass(second)
		srv.Down()
		for i := range late { // they come and go while nobody listens
			say(fmt.Sprint("late", i), started, said, ended)
			pass(10*minute/late - 3*ms)
			if i%4 == 0 {
				for k := range live {
					say(fmt.Sprint("live", k), said)
				}
			}
		}
		backlog := int64(1 + late/4) // sequence of each live call's last event so far
		srv.Up()
		for range 30 {
			pass(2 * second)
			for k := range live {
				say(fmt.Sprint("live", k), said)
			}
		}
		for k := range live {
			say(fmt.Sprint("live", k), ended)
		}
		r.drain(t)

		report := srv.Report()
		if err := report.Err(); err != nil || report.Delivered != stored || r.journal.count(StateDelivered) != stored {
			t.Errorf("got %d of %d events at the endpoint, %d settled as delivered, %v", report.Delivered, stored, r.journal.count(StateDelivered), err)
		}
		var back, caughtUp, last time.Time // when the endpoint took something again, had all of the live calls' backlog, had all
		behind := 0                        // late events that came before caughtUp
		requests := srv.Delivered()
		for _, q := range requests[live:] {
			if back.IsZero() {
				if back = q.Time; !strings.HasPrefix(q.CallID, "live") {
					t.Errorf("got %s as the first after the outage, want a call that is up", q.CallID)
				}
			}
			switch isLive := strings.HasPrefix(q.CallID, "live"); {
			case isLive && q.Sequence == backlog:
				caughtUp = q.Time
			case !isLive:
				last = q.Time
			}
		}
		for _, q := range requests[live:] {
			if strings.HasPrefix(q.CallID, "late") && q.Time.Before(caughtUp) {
				behind++
			}
		}
		// A call's events go one after the other; no live call waits for another call.
		if took, want := caughtUp.Sub(back), time.Duration(backlog)*answer+100*ms; took > want {
			t.Errorf("the calls that were up had caught up after %s, want %s at most", took, want)
		}
		t.Logf("live calls had caught up %s after the endpoint was back, all calls after %s; %d of %d late events came before the last live one of the outage",
			caughtUp.Sub(back), last.Sub(back), behind, 3*late)
	})
}
