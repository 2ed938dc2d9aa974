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
		const live, late, answer = 20, 200, 20 * ms
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
		for i := range late { // calls that start and end during the outage
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
		var back, begun, caughtUp, last time.Time // when the endpoint accepted again, each live call had progressed, had delivered its backlog, and the last late event
		requests := srv.Delivered()[live:]
		for _, q := range requests {
			if back.IsZero() {
				back = q.Time
			}
			switch isLive := strings.HasPrefix(q.CallID, "live"); {
			case isLive && q.Sequence == 2:
				begun = q.Time
			case isLive && q.Sequence == backlog:
				caughtUp = q.Time
			case !isLive:
				last = q.Time
			}
		}
		early := 0 // late events that came before caughtUp
		for _, q := range requests {
			if strings.HasPrefix(q.CallID, "late") && q.Time.Before(caughtUp) {
				early++
			}
		}
		if begun.Sub(back) > 100*ms || early > slowStartLanes {
			t.Errorf("each live call had gone on after %s, and %d late events came before the live ones that had waited; want 100 ms and next to none", begun.Sub(back), early)
		}
		t.Logf("after the endpoint was back: each live call had gone on after %s and caught up after %s, all calls after %s", begun.Sub(back), caughtUp.Sub(back), last.Sub(back))
	})
}
