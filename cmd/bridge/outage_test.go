package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks/webhooktest"
)

var (
	outageDown   = flag.Duration("outage.down", time.Second, "how long nobody listens at the webhook")
	outageBefore = flag.Int("outage.before", 6, "calls that come and end meanwhile")
	outageLive   = flag.Int("outage.live", 3, "calls that are up all the time")
)

// A webhook that refuses connections for a while gets everything afterwards, each call in order, and the calls that are
// up first.
func TestAWebhookThatIsGoneForAWhileGetsEverything(t *testing.T) {
	t.Parallel()
	r := newReachable(t)
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) { o.WebhookURL = "http://" + r.address })
	heard := newTap("/v1/events?after=0")
	var listening, calls sync.WaitGroup
	listening.Go(func() { _ = heard.connect(context.Background(), "http://"+w.server.listener.Addr().String(), 1<<40) })
	defer listening.Wait()
	defer w.stop()
	ctx, cancel := context.WithTimeout(t.Context(), *outageDown+5*guard)
	defer cancel()
	place := func(sid string, lines ...string) {
		calls.Go(func() {
			if _, err := w.call(sid, say(lines...)).Run(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	count := func(kind events.Type, prefix string) func([]told) bool {
		return func(got []told) bool {
			n, want := 0, map[string]int{"CAlive": *outageLive, "CAbefore": *outageBefore}[prefix]
			for _, e := range got {
				if e.kind == string(kind) && strings.HasPrefix(e.call, prefix) {
					n++
				}
			}
			return n == want
		}
	}
	for i := range *outageLive {
		n := 1
		for playTime(say(sentences(i, n)...)) < *outageDown+*outageDown/4+5*time.Second { // it can take 6 s until it is tried again
			n++
		}
		place(fmt.Sprint("CAlive", i), sentences(i, n)...)
	}
	heard.wait(ctx, t, count(events.TypeCallStarted, "CAlive"))
	r.down(t)
	gone := time.Now()
	for i := range *outageBefore {
		place(fmt.Sprint("CAbefore", i), "gone")
		_ = pause(ctx, *outageDown/2/time.Duration(*outageBefore))
	}
	heard.wait(ctx, t, count(events.TypeCallEnded, "CAbefore"))
	_ = pause(ctx, *outageDown-time.Since(gone))
	backlog := heard.all()
	r.up(t)
	back := time.Now()
	calls.Wait()
	all := heard.wait(ctx, t, count(events.TypeCallEnded, "CAlive"))
	if err := r.Wait(ctx, func([]webhooktest.Request) bool { return r.Report().Delivered >= len(all) }); err != nil {
		t.Fatal(err)
	}
	r.judge(t, w, all, backlog, back, back.Sub(gone))
}

// judge wants everything delivered, in order, and what was up first.
func (r *reachable) judge(t *testing.T, w *world, all, backlog []told, back time.Time, down time.Duration) {
	t.Helper()
	report := r.Report()
	if err := report.Err(); err != nil || report.Delivered != len(all) {
		t.Errorf("got %d of %d events, %v", report.Delivered, len(all), err)
	}
	dead, _, err := w.server.store.(*journal.Store).Deliveries(t.Context(), journal.DeliveryFilter{State: "dead", Limit: 10})
	if err != nil || len(dead) > 0 {
		t.Errorf("got dead deliveries %v, %v", dead, err)
	}
	arrived := map[string]time.Time{}
	var first webhooktest.Request
	for _, q := range r.Delivered() {
		if arrived[string(q.Body)] = q.Time; first.CallID == "" && q.Time.After(back) {
			first = q
		}
	}
	late := map[bool][]time.Duration{} // how long after that what waited came, by whether its call is up
	for _, e := range backlog {
		if at := arrived[e.body]; at.After(back) {
			up := strings.HasPrefix(e.call, "CAlive")
			late[up] = append(late[up], at.Sub(back))
		}
	}
	slices.Sort(late[true])
	slices.Sort(late[false])
	half, whole := func(up bool) time.Duration { return quantile(late[up], 0.5) }, func(up bool) time.Duration { return quantile(late[up], 1) }
	if breakerHasOpened := down > 30*time.Second; breakerHasOpened && (!strings.HasPrefix(first.CallID, "CAlive") || half(true) > half(false)) {
		t.Errorf("got %s first, half of what was up after %s, half of the rest after %s: want what is up first", first.CallID, half(true), half(false))
	}
	t.Logf("nobody listened for %s; %d events stored, all arrived in order, none dead. The first came %s after it listened again, of %s; "+
		"of %d events of %d calls that were up half had come after %s and all after %s, of %d events of %d calls that had ended half after %s and all after %s",
		down.Round(time.Millisecond), len(all), first.Time.Sub(back).Round(time.Millisecond), first.CallID,
		len(late[true]), *outageLive, half(true), whole(true), len(late[false]), *outageBefore, half(false), whole(false))
}

// A reachable is a webhook at an address where it may or may not listen.
type reachable struct {
	*webhooktest.Endpoint
	address string
	server  *http.Server
	served  chan struct{} // closed when server has ended
}

// newReachable returns one that listens. Its answers take 20 ms.
func newReachable(t *testing.T) *reachable {
	r := &reachable{Endpoint: webhooktest.NewEndpoint(secretA), address: "127.0.0.1:0"}
	r.Script(func(webhooktest.Request) webhooktest.Answer {
		after := make(chan struct{})
		time.AfterFunc(20*time.Millisecond, func() { close(after) })
		return webhooktest.When(after, webhooktest.OK())
	})
	r.up(t)
	t.Cleanup(func() { r.down(t) })
	return r
}

// up begins to listen.
func (r *reachable) up(t *testing.T) {
	t.Helper()
	l, err := net.Listen("tcp", r.address)
	if err != nil {
		t.Fatal(err)
	}
	r.address, r.server, r.served = l.Addr().String(), &http.Server{Handler: r.Endpoint}, make(chan struct{})
	go func() {
		defer close(r.served)
		_ = r.server.Serve(l) // until it is closed
	}()
}

// down ends that, and breaks every connection.
func (r *reachable) down(t *testing.T) {
	t.Helper()
	if err := r.server.Close(); err != nil {
		t.Error(err)
	}
	<-r.served
}
