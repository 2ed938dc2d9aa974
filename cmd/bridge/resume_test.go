package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
)

var (
	resumeKills = flag.Int("resume.kills", 1, "how many times the bridge is killed under its event streams")
	resumeCalls = flag.Int("resume.calls", 4, "calls that are up at each of these kills")
)

// Clients of the event streams, whose connections break after any number of bytes and at any time, and whose bridge is
// killed and started again, have every stored event once when they come back with Last-Event-ID.
func TestAnEventStreamThatIsResumedMissesAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	recognizer := sandbox.New(sandbox.Options{Source: sandbox.Marker()})
	defer func() {
		if err := recognizer.Close(); err != nil {
			t.Error(err)
		}
	}()
	program, data := buildBridge(t), t.TempDir()
	env := append(os.Environ(), "BRIDGE_DATA_DIR="+data, "BRIDGE_LISTEN=127.0.0.1:0", "LOG_FORMAT=json", "ALDEA_URL="+recognizer.URL, "ALDEA_API_KEY=org_test")
	f := &flock{chance: rand.New(rand.NewPCG(1, 3)), done: make(chan struct{})}
	for range 4 {
		f.follow("/v1/events?after=0")
	}
	var callers sync.WaitGroup
	for kill := range *resumeKills + 1 {
		b := startChild(t, program, env)
		f.bridge.Store(b)
		var length time.Duration
		for i := range *resumeCalls {
			sid := fmt.Sprintf("CA%d-%d", kill, i)
			f.follow("/v1/calls/" + sid + "/events")
			c := &mediatest.Call{URL: b.mediaURL(), CallSID: sid, StreamSID: "MZ" + sid, Inbound: say("one "+sid, "two "+sid)}
			c.DTMF = []mediatest.Digit{{At: 100 * time.Millisecond, Digit: "1"}, {At: 200 * time.Millisecond, Digit: "2"}}
			length = max(length, playTime(c.Inbound))
			callers.Go(func() { _, _ = c.Run(context.Background()) }) // cut by the kill, or not
		}
		if kill < *resumeKills {
			_ = pause(t.Context(), time.Second+time.Duration(f.chance.Float64()*float64(length)))
			b.kill(t)
		}
		callers.Wait()
	}
	last := f.bridge.Load()
	f.caughtUp(t, last, fmt.Sprintf("CA%d-", *resumeKills))
	last.stop(t)
	close(f.done)
	f.running.Wait()
	f.judge(t, storedEvents(t, filepath.Join(data, "journal.db")), *resumeKills)
}

// A flock is clients whose connections do not last.
type flock struct {
	chance *rand.Rand // of the test
	bridge atomic.Pointer[child]
	done   chan struct{}

	running sync.WaitGroup
	taps    []*tap
}

// follow starts a client that connects again and again.
func (f *flock) follow(path string) {
	s := newTap(path)
	f.taps = append(f.taps, s)
	chance := rand.New(rand.NewPCG(uint64(len(f.taps)), 4))
	f.running.Go(func() {
		for {
			select {
			case <-f.done:
				return
			default:
			}
			if b := f.bridge.Load(); b != nil {
				ctx, cancel := context.WithTimeout(context.Background(), time.Duration(chance.IntN(700))*time.Millisecond)
				_ = s.connect(ctx, b.url(), 1+chance.Int64N(4000)) // whatever ends it
				cancel()
			}
			_ = pause(context.Background(), time.Duration(chance.IntN(50))*time.Millisecond) // as clients do
		}
	})
}

// caughtUp waits until every client has what there will be: all that an undisturbed one has when the last calls, whose
// ids begin with calls, have ended.
func (f *flock) caughtUp(t *testing.T, b *child, calls string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), guard)
	defer cancel()
	undisturbed := newTap("/v1/events?after=0")
	f.running.Go(func() { _ = undisturbed.connect(ctx, b.url(), 1<<40) })
	all := undisturbed.wait(ctx, t, func(got []told) bool {
		ended := 0
		for _, e := range got {
			if e.kind == string(events.TypeCallEnded) && strings.HasPrefix(e.call, calls) {
				ended++
			}
		}
		return ended == *resumeCalls
	})
	for _, s := range f.taps {
		want := 0
		for _, e := range all {
			if s.wants(e.call) {
				want++
			}
		}
		s.wait(ctx, t, func(got []told) bool { return len(got) >= want })
	}
}

// judge wants each client to have what was stored: that, once, in that order.
func (f *flock) judge(t *testing.T, stored []events.Record, kills int) {
	t.Helper()
	connections := 0
	for _, s := range f.taps {
		connections += s.connections
		var want []told
		for _, r := range stored {
			if s.wants(r.CallID) {
				want = append(want, told{r.Position, string(r.Type), r.CallID, string(r.Body)})
			}
		}
		got := s.all()
		for i := range max(len(got), len(want)) {
			if i >= len(got) || i >= len(want) || got[i] != want[i] {
				t.Errorf("%s: got %d events, want %d; they differ from number %d on", s.path, len(got), len(want), i+1)
				break
			}
		}
	}
	t.Logf("%d stored events, %d kills of the bridge: %d clients made %d connections", len(stored), kills, len(f.taps), connections)
}
