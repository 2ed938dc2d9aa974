package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

var (
	crashKills = flag.Int("crash.kills", 2, "how many times the bridge is killed with calls up")
	crashCalls = flag.Int("crash.calls", 8, "calls that are up at each of these kills")
	crashSeed  = flag.Uint64("crash.seed", 1, "decides when the bridge is killed and what the webhook answers")
)

// A bridge that is killed with SIGKILL again and again (while calls are up, while it starts, while it delivers
// what was left behind), with a webhook that fails one request in five, is slow or down, still delivers every event
// that its journal took: in order, each with its one id and the same bytes. Every event that was delivered or streamed is in the journal.
func TestAKilledBridgeDeliversAllThatItStored(t *testing.T) {
	t.Parallel()
	w := newCrashWorld(t)
	for kill := range *crashKills {
		mood := mood(kill % 3)
		before := len(w.heard.all())
		w.underLoad(t, kill, mood)
		if backlog := len(w.heard.all()) - before; mood == down && backlog > 0 {
			w.duringBacklog(t, backlog)
		} else {
			w.atStart(t)
		}
	}
	w.mood.Store(int32(well))
	b := startChild(t, w.program, w.env)
	w.listen(b)
	b.stop(t) // exits 0 when nothing waits
	w.taps.Wait()
	w.judge(t)
}

// A mood is how the webhook answers.
type mood int32

const (
	down    mood = iota // 503 to all
	failing             // 500 to one request in five
	slow                // the same, each answer up to 30 ms late
	well
)

// A crashWorld is what survives the bridge: its data, the recognizer, the webhook, and clients of its event streams.
type crashWorld struct {
	program, data string
	env           []string
	webhook       *webhooktest.Server
	mood          atomic.Int32
	chance        *rand.Rand // of the test
	heard         *tap       // all events
	taps          sync.WaitGroup
	start         time.Duration // that the first bridge took to listen

	calls            int
	spoken           int // utterances that were spoken to their end before the kill
	cut              int // those that were not
	early, backlogs  int // kills
	waitedAtBacklogs int // requests of backlogs before the kill
}

func newCrashWorld(t *testing.T) *crashWorld {
	recognizer := sandbox.New(sandbox.Options{Source: sandbox.Marker()})
	t.Cleanup(func() {
		if err := recognizer.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &crashWorld{
		program: buildBridge(t), data: t.TempDir(), webhook: webhooktest.New(secretA),
		chance: rand.New(rand.NewPCG(*crashSeed, 1)), heard: newTap("/v1/events?after=0"),
	}
	t.Cleanup(w.webhook.Close)
	answers := rand.New(rand.NewPCG(*crashSeed, 2))
	w.webhook.Script(func(webhooktest.Request) webhooktest.Answer { // called one at a time
		a := webhooktest.OK()
		m := mood(w.mood.Load())
		switch {
		case m == down:
			return webhooktest.Status(503)
		case m != well && answers.IntN(5) == 0:
			a = webhooktest.Status(500)
		}
		if m == slow {
			late := make(chan struct{})
			time.AfterFunc(time.Duration(answers.IntN(30))*time.Millisecond, func() { close(late) })
			a = webhooktest.When(late, a)
		}
		return a
	})
	w.env = append(os.Environ(), "BRIDGE_DATA_DIR="+w.data, "BRIDGE_LISTEN=127.0.0.1:0", "BRIDGE_GRACE=5m", "LOG_FORMAT=json",
		"ALDEA_URL="+recognizer.URL, "ALDEA_API_KEY=org_test", "WEBHOOK_URL="+w.webhook.URL, "WEBHOOK_SECRET="+secretA)
	return w
}

// listen follows all events of a bridge until it ends.
func (w *crashWorld) listen(b *child) {
	w.taps.Go(func() { _ = w.heard.connect(context.Background(), b.url(), 1<<40) }) // cut by the kill
}

// underLoad starts a bridge, places calls and kills it at some time while they last.
func (w *crashWorld) underLoad(t *testing.T, kill int, m mood) {
	w.mood.Store(int32(m))
	began := time.Now()
	b := startChild(t, w.program, w.env)
	if w.start == 0 {
		w.start = time.Since(began)
	}
	w.listen(b)
	var callers sync.WaitGroup
	sent := make([]atomic.Int64, *crashCalls) // audio that left
	ends := make([][]time.Duration, *crashCalls)
	length := time.Duration(0)
	for i := range *crashCalls {
		sid := fmt.Sprintf("CA%02d-%02d", kill, i)
		lines := []string{"one " + sid, "two " + sid, "three " + sid}
		for k := range lines {
			ends[i] = append(ends[i], playTime(say(lines[:k+1]...))-time.Second)
		}
		c := &mediatest.Call{URL: b.mediaURL(), CallSID: sid, StreamSID: "MZ" + sid, Inbound: say(lines...),
			Sent: func(_ mediatest.Track, offset time.Duration, _ time.Time) { sent[i].Store(int64(offset)) }}
		length = max(length, playTime(c.Inbound))
		callers.Go(func() { _, _ = c.Run(context.Background()) }) // cut by the kill, or not
	}
	_ = pause(t.Context(), time.Duration(w.chance.Float64()*1.1*float64(length)))
	b.kill(t)
	callers.Wait()
	w.taps.Wait()
	w.calls += *crashCalls
	for i := range ends {
		for _, end := range ends[i] {
			if time.Duration(sent[i].Load()) >= end {
				w.spoken++
			} else {
				w.cut++
			}
		}
	}
}

// atStart kills a bridge before or just after it listens.
func (w *crashWorld) atStart(t *testing.T) {
	b := launch(t, w.program, w.env)
	_ = pause(t.Context(), time.Duration(w.chance.Float64()*1.5*float64(w.start)))
	b.kill(t)
	w.early++
}

// duringBacklog kills a bridge that delivers the events that were left behind, and slowly.
func (w *crashWorld) duringBacklog(t *testing.T, backlog int) {
	w.mood.Store(int32(slow))
	before := len(w.webhook.Requests())
	b := startChild(t, w.program, w.env)
	w.listen(b)
	enough := 1 + w.chance.IntN(backlog)
	(&world{webhook: w.webhook}).wait(t, func(got []webhooktest.Request) bool { return len(got) >= before+enough })
	b.kill(t)
	w.taps.Wait()
	w.backlogs++
	w.waitedAtBacklogs += enough
}

// judge compares what was stored, what was heard, and what arrived.
func (w *crashWorld) judge(t *testing.T) {
	t.Helper()
	stored := storedEvents(t, filepath.Join(w.data, "journal.db"))
	bodies, utterances := map[int64]string{}, 0
	requests := map[string]int{}
	for _, r := range w.webhook.Requests() {
		requests[r.ID]++
	}
	delivered := map[string]int{}
	for _, r := range w.webhook.Delivered() {
		delivered[r.ID]++
	}
	repeated, again := 0, 0
	for _, e := range stored {
		bodies[e.Position] = string(e.Body)
		if e.Type == events.TypeUtteranceFinal {
			utterances++
		}
		if delivered[e.ID] == 0 {
			t.Errorf("event %d of %s was stored and never arrived", e.Sequence, e.CallID)
		}
		if delivered[e.ID] > 1 {
			again++
		}
		if requests[e.ID] > 1 {
			repeated++
		}
		delete(delivered, e.ID)
	}
	for id := range delivered {
		t.Errorf("%s arrived, and is not in the journal", id)
	}
	for _, h := range w.heard.all() {
		if bodies[h.position] != h.body {
			t.Errorf("somebody was told of event %d, which the journal does not have, or not so", h.position)
		}
	}
	report := w.webhook.Report()
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	t.Logf("seed %d: killed %d times with %d calls up in all, %d times at the start, %d times with a backlog (after %d of its requests)",
		*crashSeed, *crashKills, w.calls, w.early, w.backlogs, w.waitedAtBacklogs)
	t.Logf("%d events stored, all arrived, in order; %d requests; %d events came more than once, of which %d after a 2xx answer; "+
		"each with one id and the same bytes; %d events heard by the API's stream are all in the journal",
		len(stored), report.Requests, repeated, again, len(w.heard.all()))
	t.Logf("%d utterances were spoken to their end before the kill, %d of them not yet stored by then; %d more were cut by it",
		w.spoken, w.spoken-utterances, w.cut)
}

// playTime is how long telephone audio lasts.
func playTime(mulaw []byte) time.Duration { return time.Duration(len(mulaw)) * time.Second / 8000 }

// storedEvents returns every event of a journal, in order.
func storedEvents(t *testing.T, path string) (all []events.Record) {
	t.Helper()
	j, err := journal.Open(journal.Options{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	}()
	for after := int64(0); after < j.Last(); after = all[len(all)-1].Position {
		records, err := j.Since(t.Context(), after, 1000)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, records...)
	}
	return all
}
