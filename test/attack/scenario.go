package attack

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

const (
	mediaToken = "media-token-of-the-attack"
	apiToken   = "api-token-of-the-attack"
	// canary is in all text that the attackers, the failing recognizer and the receiver send. The log must not repeat it.
	canary = "canary-5d0c"

	maxMemory = 150 << 20 // resident, at the peak
	maxLog    = 4 << 20
	// slackMemory and slackFiles are how much more than before may be in use a minute after the attack. 20 MB of the memory is the
	// program's own code and tables, which stay resident once they were used.
	slackMemory = 32 << 20
	slackFiles  = 8
	recovery    = time.Minute
	quiet       = 5 * time.Second // of the call, when all is said
)

// A scenario is an attack and the conditions in which it takes place.
type scenario struct {
	name   string
	limits limits
	// tickets makes the carrier ask for a one-time ticket for each stream.
	tickets bool
	// deaf lets the recognizer refuse all streams but those of the first two calls.
	deaf    bool
	attacks []attack
}

// An attack goes on until ctx ends, and leaves nothing open.
type attack func(ctx context.Context, w *world)

// A world is a bridge and all that it talks to.
type world struct {
	scenario scenario
	receiver *receiver
	bridge   *child
	hits     atomic.Int64 // connections, requests and streams of the attackers
}

// newWorld starts a world.
func newWorld(t *testing.T, program string, s scenario) *world {
	t.Helper()
	w := &world{scenario: s, receiver: newReceiver()}
	t.Cleanup(w.receiver.server.Close)
	env := []string{
		"BRIDGE_DATA_DIR=" + t.TempDir(), "BRIDGE_LISTEN=127.0.0.1:0", "LOG_FORMAT=json", "WEBHOOK_URL=" + w.receiver.server.URL,
		"BRIDGE_MEDIA_TOKEN=" + mediaToken, "BRIDGE_API_TOKEN=" + apiToken,
	}
	if s.tickets {
		env = append(env, "BRIDGE_PUBLIC_URL=http://bridge.test")
	}
	if s.deaf {
		recognizer := sandbox.New(sandbox.Options{Source: sandbox.Marker(), Next: hearsFirst(2)})
		t.Cleanup(func() { _ = recognizer.Close() })
		env = append(env, "ALDEA_URL="+recognizer.URL, "ALDEA_API_KEY=org_test")
	}
	w.bridge = start(t, program, s.limits, env)
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the log of the bridge:\n%s", w.bridge.log())
		}
	})
	return w
}

// hearsFirst makes a recognizer that serves n streams and then fails each in another way.
func hearsFirst(n int) func(int, sandbox.Params) sandbox.Fault {
	return func(handshake int, _ sandbox.Params) sandbox.Fault {
		if handshake < n {
			return sandbox.Fault{}
		}
		return []sandbox.Fault{
			{Status: 503},
			{CloseAfter: sandbox.AtOpen, CloseCode: 1011, CloseReason: canary},
			{Status: 400},
			{DropAfter: 100 * time.Millisecond, InvalidJSON: true},
		}[handshake%4]
	}
}

// A row is the result of one scenario.
type row struct {
	name        string
	result      []string // faults; none is good
	memory      int64    // resident, at the peak
	base, after usage    // before, and a minute after at the latest
	files       int      // at the peak
	logBytes    int64
	hits        int64
	recovered   time.Duration
}

// run plays a scenario: a short call, then the attack with the call of ten utterances in it, then the time after it.
func run(t *testing.T, program string, s scenario, pause time.Duration) row {
	t.Helper()
	w := newWorld(t, program, s)
	pid := w.bridge.cmd.Process.Pid
	r := row{name: s.name}
	patience, giveUp := context.WithTimeout(t.Context(), 3*time.Minute)
	defer giveUp()
	go func() {
		<-w.bridge.ended
		giveUp()
	}()

	before := w.place(t, "before", lines[:1], pause, 0)
	r.fault(<-before.result)
	r.fault(w.ended(patience, before))
	r.base = measure(pid)

	watch := watchFiles(pid)
	during := w.place(t, "during", lines, pause, quiet)
	r.fault(w.arrived(patience, during, lines[:1]))
	attacking, stop := context.WithCancel(t.Context())
	attacked := make(chan struct{})
	go func() {
		defer close(attacked)
		w.attack(attacking)
	}()
	// The attack ends before the call does: when a call has ended, its carrier may open another stream of it, and so may others who
	// can open streams.
	r.fault(w.arrived(patience, during, lines))
	stop()
	<-attacked
	r.fault(<-during.result)
	last := time.AfterFunc(recovery, giveUp)
	r.fault(w.ended(patience, during))
	last.Stop()
	r.result = append(r.result, w.unharmed(during, lines)...)

	r.recover(w)
	r.files, r.memory = watch.stop(), peakMemory(pid)
	r.judge(w)
	return r
}

// attack carries out all attacks of the scenario at the same time.
func (w *world) attack(ctx context.Context) {
	done := make(chan struct{})
	for _, a := range w.scenario.attacks {
		go func() {
			a(ctx, w)
			done <- struct{}{}
		}()
	}
	for range w.scenario.attacks {
		<-done
	}
}

// fault notes an error.
func (r *row) fault(err error) {
	if err != nil {
		r.result = append(r.result, err.Error())
	}
}

// recover waits until descriptors and memory are back, a minute at most.
func (r *row) recover(w *world) {
	began := time.Now()
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	for {
		r.after, r.recovered = measure(w.bridge.cmd.Process.Pid), time.Since(began)
		back := r.after.files <= r.base.files+slackFiles && r.after.memory <= r.base.memory+slackMemory
		if back || !w.bridge.up() || r.recovered > recovery {
			return
		}
		<-tick.C
	}
}

// judge notes what is beyond its bounds.
func (r *row) judge(w *world) {
	if !w.bridge.up() {
		r.result = append(r.result, "the process has ended")
		return
	}
	var echoes int
	r.logBytes, echoes = w.bridge.logged()
	if r.hits = w.hits.Load(); r.hits == 0 && len(w.scenario.attacks) > 0 {
		r.result = append(r.result, "there was no attack")
	}
	for _, bound := range []struct {
		what      string
		got, most int64
	}{
		{"MB of memory at the peak", r.memory >> 20, maxMemory >> 20},
		{"bytes of log", r.logBytes, maxLog},
		{"lines with foreign text", int64(echoes), 0},
		{"MB of memory a minute later", r.after.memory >> 20, (r.base.memory + slackMemory) >> 20},
		{"descriptors a minute later", int64(r.after.files), int64(r.base.files + slackFiles)},
	} {
		if bound.got > bound.most {
			r.result = append(r.result, fmt.Sprintf("%d %s, at most %d are allowed", bound.got, bound.what, bound.most))
		}
	}
}

// table formats rows for people.
func table(rows []row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-44s %9s %9s %9s %6s %6s %9s %8s %8s  %s\n", "attack", "peak MB", "base MB", "after MB", "files", "after", "log kB", "back in", "hits", "result")
	for _, r := range rows {
		fmt.Fprintf(&b, "%-44s %9d %9d %9d %6d %6d %9d %7.1fs %8d  %s\n", r.name, r.memory>>20, r.base.memory>>20, r.after.memory>>20,
			r.files, r.after.files, r.logBytes>>10, r.recovered.Seconds(), r.hits, summary(r.result))
	}
	return b.String()
}
