package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/webhooks"
	"aldeabridge/webhooks/webhooktest"
)

var (
	stuckCalls      = flag.Int("stuck.calls", 50, "calls at once, of which one in five goes to the webhook that fails")
	stuckUtterances = flag.Int("stuck.utterances", 5, "utterances of each call")
	stuckEvery      = flag.Duration("stuck.every", 200*time.Millisecond, "time between them")
	stuckRatio      = flag.Float64("stuck.ratio", 0, "how many times slower the others may be than without the webhook that fails; 0 is not judged")
)

// One webhook of two fails for ever, by saying 500 or by saying nothing. The calls of the other are delivered as if it did
// not exist; what was meant for it becomes dead letters when it says that it is gone, and `bridge redeliver` brings them
// all, in order, when it is back.
func TestAWebhookThatFailsForEverDelaysNoOtherAndIsCaughtUp(t *testing.T) {
	t.Parallel()
	healthy, sick := *stuckCalls*4/5, *stuckCalls/5
	alone := measureWithout(t, healthy)

	p := newPair(t)
	m := watchMachine(t)
	var talking sync.WaitGroup
	talking.Go(func() { p.talk(t, "+15550100001", healthy) })
	talking.Go(func() { p.talk(t, "+15550200001", sick) })
	talking.Wait()
	p.waitWell(t)
	beside := p.took(m)
	if d := p.ill.Report().Delivered; d != 0 {
		t.Fatalf("the webhook that fails took %d events", d)
	}
	p.goneAndBack(t)
	p.close(t)

	again := measureWithout(t, healthy)
	alone = alone.and(again)
	t.Logf("%d calls of %d utterances, one every %s, to a webhook that answers after 5 ms, before and after what follows: %s", healthy, *stuckUtterances, *stuckEvery, alone)
	t.Logf("the same, beside %d calls to a webhook that fails: %s", sick, beside)
	ratio := float64(beside.at(0.99)) / float64(alone.at(0.99))
	t.Logf("p99 beside it is %.2f times that without", ratio)
	if *stuckRatio > 0 && ratio > *stuckRatio {
		t.Errorf("got p99 %s beside the webhook that fails, want at most %g times %s", beside.at(0.99), *stuckRatio, alone.at(0.99))
	}
}

// measureWithout is how long deliveries take to the healthy webhook without load on the other.
func measureWithout(t *testing.T, calls int) tookTimes {
	t.Helper()
	p := newPair(t)
	m := watchMachine(t)
	p.talk(t, "+15550100001", calls)
	p.waitWell(t)
	d := p.took(m)
	p.close(t)
	return d
}

// A pair is a bridge with two webhooks: calls to +1 555 01… go to one that is well, those to +1 555 02… to one that is ill.
type pair struct {
	server    *server
	stop      context.CancelFunc
	stopped   chan error
	well, ill *webhooktest.Server
	mood      atomic.Int32  // of ill
	released  chan struct{} // closed when ill is no longer silent

	mu       sync.Mutex
	enough   chan struct{} // closed when well has all
	expected int
	inside   []time.Duration
	appended map[string]time.Time // by id
	answered map[string]time.Time
}

// The moods of the ill webhook, beside well.
const (
	stuckMood mood = iota
	goneMood
)

func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{well: webhooktest.New(secretA), ill: webhooktest.New(secretA), stopped: make(chan error, 1), released: make(chan struct{}), enough: make(chan struct{}),
		appended: map[string]time.Time{}, answered: map[string]time.Time{}}
	t.Cleanup(p.well.Close)
	t.Cleanup(p.ill.Close)
	p.well.Script(func(r webhooktest.Request) webhooktest.Answer { // called one at a time
		after := make(chan struct{})
		time.AfterFunc(5*time.Millisecond, func() {
			p.mu.Lock()
			p.answered[r.ID] = time.Now()
			p.mu.Unlock()
			close(after)
		})
		return webhooktest.When(after, webhooktest.OK())
	})
	p.ill.Script(func(r webhooktest.Request) webhooktest.Answer {
		switch {
		case mood(p.mood.Load()) == well:
			return webhooktest.OK()
		case mood(p.mood.Load()) == goneMood:
			return webhooktest.Status(http.StatusGone)
		case r.CallID[len(r.CallID)-1]%2 == 0:
			return webhooktest.When(p.released, webhooktest.Fail(webhooktest.Reset)) // says nothing
		}
		return webhooktest.Status(http.StatusInternalServerError)
	})
	config := writeConfig(t, fmt.Sprintf(`
webhooks:
  well: {url: "%s", secret_env: STUCK_SECRET}
  ill: {url: "%s", secret_env: STUCK_SECRET}
routes:
  - {to: ["+1555010*"], webhooks: [well]}
  - {to: ["+1555020*"], webhooks: [ill]}
`, p.well.URL, p.ill.URL))
	var err error
	p.server, err = newServer(options{Listen: "127.0.0.1:0", MaxCalls: 1000, Grace: guard, DataDir: t.TempDir(), Config: config,
		secrets: secrets{aldeaKey: "org_test"}, Aldea: aldeaOptions{URL: "ws://127.0.0.1:1", SampleRate: 16000}, // no speech
	}, hooks{attempt: p.attempted}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	p.stop = stop
	go func() { p.stopped <- p.server.run(ctx) }()
	return p
}

func (p *pair) close(t *testing.T) {
	t.Helper()
	p.stop()
	if err := <-p.stopped; err != nil {
		t.Error(err)
	}
}

// attempted receives each delivery attempt.
func (p *pair) attempted(a webhooks.Attempt) {
	if a.Endpoint != "well" || a.State != webhooks.StateDelivered {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.inside = append(p.inside, a.SinceStored); len(p.inside) == p.expected {
		close(p.enough)
	}
}

// talk stores what calls to a number say, and returns when they have ended.
func (p *pair) talk(t *testing.T, number string, calls int) {
	if strings.HasPrefix(number, "+1555010") { // before anything is stored
		p.expected = calls * (*stuckUtterances + 2)
	}
	var talking sync.WaitGroup
	for i := range calls {
		call := events.Call{ID: fmt.Sprintf("CA%s%d", number[1:], i), From: "+15550300001", To: number}
		talking.Go(func() {
			say := func(body events.Body) {
				e := events.Event{Time: time.Now(), Call: call, Body: body}
				e.ID = events.NewID(e.Time)
				p.mu.Lock()
				p.appended[e.ID] = e.Time
				p.mu.Unlock()
				if _, err := p.server.store.Append(context.Background(), e); err != nil {
					t.Error(err)
				}
			}
			_ = pause(t.Context(), *stuckEvery*time.Duration(i)/time.Duration(calls)) // as calls come, not all at once
			say(events.CallStarted{})
			for n := range *stuckUtterances {
				_ = pause(t.Context(), *stuckEvery)
				say(events.UtteranceFinal{Utterance: events.Utterance{ID: fmt.Sprint(n), Index: n + 1, Speaker: events.Caller, Words: []events.Word{},
					Text: "I would like to move my appointment from Tuesday to Thursday, if that is possible."}})
			}
			say(events.CallEnded{Transcript: []events.Line{}})
		})
	}
	talking.Wait()
}

// waitWell waits until the well webhook has all that was said to it.
func (p *pair) waitWell(t *testing.T) {
	t.Helper()
	select {
	case <-p.enough:
	case <-time.After(guard):
		t.Fatalf("the webhook that is well got %d events, not %d", p.well.Report().Delivered, p.expected)
	}
	if report := p.well.Report(); report.Err() != nil || report.Delivered != p.expected {
		t.Errorf("got %+v, %v, want %d delivered", report, report.Err(), p.expected)
	}
}

// goneAndBack lets the ill webhook say that it is gone, and come back.
func (p *pair) goneAndBack(t *testing.T) {
	t.Helper()
	owed := *stuckCalls / 5 * (*stuckUtterances + 2)
	bridge := func(args ...string) string {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), guard+time.Duration(owed)*50*time.Millisecond)
		defer cancel()
		var out strings.Builder
		if err := run(ctx, append(args, "--url", "http://"+p.server.listener.Addr().String()), terminal{&out, io.Discard}); err != nil {
			t.Fatalf("bridge %s: %v", strings.Join(args, " "), err)
		}
		return out.String()
	}
	p.mood.Store(int32(goneMood))
	close(p.released)
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	if err := p.server.dispatcher.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	for p.server.store.(*journal.Store).Stats().Waiting > 0 { // what was given up is written a little later
		if err := pause(ctx, 10*time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	dead := strings.Count(bridge("deliveries", "--dead", "--endpoint", "ill", "--limit", "0"), `"reason":"endpoint_gone"`)
	if dead != owed {
		t.Errorf("got %d dead letters, want %d", dead, owed)
	}
	p.mood.Store(int32(well))
	began := time.Now()
	if got, want := bridge("redeliver", "--dead", "--endpoint", "ill"), fmt.Sprintf("sent %d, failed 0\n", owed); got != want {
		t.Errorf("bridge redeliver: got %q, want %q", got, want)
	}
	took := time.Since(began)
	if report := p.ill.Report(); report.Err() != nil || report.Delivered != owed {
		t.Errorf("got %+v, %v, want %d delivered", report, report.Err(), owed)
	}
	late, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	for bridge("deliveries", "--dead", "--limit", "0") != "" { // what was delivered is written a little later, too
		if err := pause(late, 10*time.Millisecond); err != nil {
			t.Fatal("there are dead letters left")
		}
	}
	t.Logf("%d events of %d calls were dead when the webhook said that it is gone; `bridge redeliver --dead --endpoint ill` brought all of them, in order, in %s",
		dead, *stuckCalls/5, took.Round(100*time.Millisecond))
}

// tookTimes is how long deliveries took, and what the machine took for next to nothing meanwhile, each in order of size.
type tookTimes struct {
	inside       []time.Duration // from the journal to the 2xx, as the bridge sees it
	outside      []time.Duration // from before the append to the answer, as the receiver sees it
	syncs, wakes []time.Duration
}

func (p *pair) took(m *machineWatch) (d tookTimes) {
	d.syncs, d.wakes = m.stop()
	p.mu.Lock()
	defer p.mu.Unlock()
	d.inside = p.inside
	for id, at := range p.answered {
		d.outside = append(d.outside, at.Sub(p.appended[id]))
	}
	return d.and(tookTimes{})
}

// and is what is in either.
func (d tookTimes) and(e tookTimes) tookTimes {
	both := func(a, b []time.Duration) []time.Duration { return slices.Sorted(slices.Values(slices.Concat(a, b))) }
	return tookTimes{both(d.inside, e.inside), both(d.outside, e.outside), both(d.syncs, e.syncs), both(d.wakes, e.wakes)}
}

func (d tookTimes) at(q float64) time.Duration { return quantile(d.inside, q) }

func (d tookTimes) String() string {
	return fmt.Sprintf("%d events; from the journal to the 2xx p50 %s, p99 %s, max %s; from before the append to the receiver's answer p50 %s, p99 %s "+
		"(the machine by itself: a sync p99 %s, a timer late p99 %s)", len(d.inside), d.at(0.5), d.at(0.99), d.at(1),
		quantile(d.outside, 0.5), quantile(d.outside, 0.99), quantile(d.syncs, 0.99), quantile(d.wakes, 0.99))
}

// quantile is one of times that are in order of size.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[int(q*float64(len(sorted)-1))].Round(10 * time.Microsecond)
}
