package aldea

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

// dials notes when a peer is dialled.
type dials struct {
	mu sync.Mutex
	at []time.Duration
}

func (d *dials) note(start time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at = append(d.at, time.Since(start))
}

// later returns the dials but the first ones.
func (d *dials) later(than time.Duration) []time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(d.at), func(at time.Duration) bool { return at < than })
}

// peak is the most dials in any second.
func peak(dials []time.Duration) (n int, at time.Duration) {
	for i, first := 0, 0; i < len(dials); i++ {
		for dials[i]-dials[first] >= time.Second {
			first++
		}
		if i-first+1 > n {
			n, at = i-first+1, dials[first]
		}
	}
	return n, at
}

// between counts the dials in a stretch of time.
func (d *dials) between(from, to time.Duration) (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, at := range d.at {
		if at >= from && at < to {
			n++
		}
	}
	return n
}

// counting is a recognizer that counts the audio instead of keeping it, and sends a final every 300 ms of it.
func counting(s *session) {
	heard, final := 0, 0
	for {
		kind, data, err := s.ws.ReadMessage()
		switch {
		case err != nil:
			return
		case kind == websocket.BinaryMessage:
			heard += len(data) / 2
		case strings.Contains(string(data), "CloseStream"):
			s.result(final, heard, true, "last")
			s.close(1000, "")
			return
		}
		if heard-final >= 2400 {
			s.result(final, heard, true, "some")
			final = heard
		}
	}
}

// wantWhole checks that the finals cover the source from its beginning to its end, each sample once.
func wantWhole(t *testing.T, name string, messages []Message, end time.Duration) {
	t.Helper()
	at := time.Duration(0)
	for _, r := range finals(messages) {
		if r.Start != at {
			t.Errorf("%s: a final begins at %v, the one before ended at %v", name, r.Start, at)
		}
		at = r.End
	}
	if at != end {
		t.Errorf("%s: the finals end at %v, want %v", name, at, end)
	}
	if g := gaps(messages); len(g) != 0 {
		t.Errorf("%s: got gaps %+v, want none", name, g)
	}
}

// crowd runs n streams for d, and returns what each heard. Their audio comes at a tenth of real time, which is
// all the same to the streams and saves the test much work.
func crowd(t *testing.T, client *Client, n int, d time.Duration) [][]Message {
	t.Helper()
	heard := make([][]Message, n)
	frame := sound(0, 160)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			s := client.Open(t.Context())
			wg.Go(func() {
				var err error
				if heard[i], err = collect(s); !errors.Is(err, context.Canceled) {
					wantEOF(t, err)
				}
			})
			for range d / (200 * time.Millisecond) {
				s.Write(frame)
				time.Sleep(200 * time.Millisecond)
			}
			s.CloseSend()
		})
	}
	wg.Wait()
	return heard
}

func TestAnOutageIsNoStormOfAHundredStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const from, until = 10 * time.Second, 40 * time.Second
		p := newPeer(t)
		p.serve = func(_ int, s *session) { counting(s) }
		var d dials
		start := time.Now()
		p.dial = func(context.Context) error {
			d.note(start)
			if now := time.Since(start); now >= from && now < until {
				return errors.New("network is unreachable")
			}
			return nil
		}
		time.AfterFunc(from, func() {
			for _, s := range p.all() {
				_ = s.ws.Close()
			}
		})
		client := p.client(func(c *Config) { c.ReplaySpeed = -1 })
		done := make(chan struct{})
		go func() {
			defer close(done)
			for i, messages := range crowd(t, client, 100, 60*time.Second) {
				wantWhole(t, fmt.Sprint("stream ", i), messages, 6*time.Second)
				if i == 0 && !slices.ContainsFunc(troubles(messages), func(s string) bool { return strings.HasPrefix(s, "recovered") }) {
					t.Errorf("got troubles %v, want a recovery", troubles(messages))
				}
			}
		}()
		time.Sleep(58 * time.Second)
		synctest.Wait()
		if h := client.Health(); h.Connections != 100 || h.Waiting != 0 || h.Hosts[0].Mode == ModeOutage {
			t.Errorf("18s after the outage: %+v, want everybody connected", h)
		}
		<-done
		if n, at := peak(d.later(time.Second)); n >= 20 { // all call at once at the beginning
			t.Errorf("%d dials in the second from %v on, want less than 20", n, at)
		}
		if n := d.between(15*time.Second, 35*time.Second); n < 70 || n > 81 {
			t.Errorf("%d dials in 20s of the outage, want 4 a second", n)
		}
		if h := client.Health(); h.Streams != 0 || h.Connections != 0 || h.Hosts[0].Mode != ModeHealthy || h.Hosts[0].Dialing != 0 {
			t.Errorf("after the end: %+v, want nothing left", h)
		}
	})
}

func TestARestartOfTheRecognizerIsNoStormEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) { counting(s) }
		var d dials
		start := time.Now()
		p.dial = func(context.Context) error { d.note(start); return nil }
		time.AfterFunc(10*time.Second, func() {
			for _, s := range p.all() {
				_ = s.ws.Close()
			}
		})
		for i, messages := range crowd(t, p.client(func(c *Config) { c.ReplaySpeed = -1 }), 100, 30*time.Second) {
			wantWhole(t, fmt.Sprint("stream ", i), messages, 3*time.Second)
		}
		if n := d.between(0, time.Second); n != 100 {
			t.Errorf("%d dials in the first second, want all 100: nothing is wrong yet", n)
		}
		later := d.later(time.Second)
		if n, at := peak(later); n >= 20 || len(later) != 100 {
			t.Errorf("%d dials, %d in the second from %v on, want 100, and less than 20", len(later), n, at)
		}
	})
}

func TestHandshakesRefusedAtRandomSlowNobodyDown(t *testing.T) {
	for _, header := range []http.Header{nil, {"Retry-After": {"1"}}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			random := rand.New(rand.NewPCG(1, 2))
			var mu sync.Mutex
			p.refuse = func(int, *http.Request) (int, http.Header, string) {
				mu.Lock()
				defer mu.Unlock()
				if random.Float64() < 0.2 {
					return 503, header, "busy"
				}
				return 0, nil, ""
			}
			p.serve = func(_ int, s *session) {
				mu.Lock()
				life := 2*time.Second + time.Duration(random.Float64()*6*float64(time.Second))
				mu.Unlock()
				defer time.AfterFunc(life, func() { _ = s.ws.Close() }).Stop()
				counting(s)
			}
			client := p.client(func(c *Config) { c.ReplaySpeed = -1 })
			worst := time.Duration(0)
			for i, messages := range crowd(t, client, 100, 30*time.Second) {
				wantWhole(t, fmt.Sprint("stream ", i), messages, 3*time.Second)
				for _, m := range messages {
					if m, ok := m.(*Degraded); ok {
						worst = max(worst, m.Backlog)
					}
				}
			}
			if worst > time.Second { // of audio, ten times that of time
				t.Errorf("with %v: a stream was behind by %v", header, worst)
			}
		})
	}
}

func TestRetryAfterKeepsAllStreamsAway(t *testing.T) {
	for _, test := range []struct {
		asked, least, most time.Duration
	}{{7 * time.Second, 7 * time.Second, 7500 * time.Millisecond}, {5 * time.Minute, 30 * time.Second, 30500 * time.Millisecond}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			var d dials
			start := time.Now()
			p.dial = func(context.Context) error { d.note(start); return nil }
			p.refuse = func(int, *http.Request) (int, http.Header, string) {
				if time.Since(start) < 6*time.Second {
					return 429, http.Header{"Retry-After": {fmt.Sprint(int(test.asked.Seconds()))}}, ""
				}
				return 0, nil, ""
			}
			client := p.client(nil)
			for range 5 {
				open(t, client)
				time.Sleep(time.Second)
			}
			time.Sleep(time.Minute)
			at := d.later(0)
			if at[0] != 0 || at[1] < test.least || at[1] >= test.most {
				t.Errorf("asked for %v: got dials at %v, want nobody between 0s and %v", test.asked, at, test.least)
			}
			if len(at) != 6 {
				t.Errorf("asked for %v: got %d dials, want the refused one, and one for each stream", test.asked, len(at))
			}
		})
	}
}

func TestMoreStreamsThanTheKeyAllowsWaitInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		client := p.client(func(c *Config) { c.MaxConnections = 2; c.ReplaySpeed = -1 })
		streams := make([]*Stream, 5)
		for i := range streams {
			streams[i] = open(t, client)
			time.Sleep(100 * time.Millisecond)
		}
		heard := make([][]Message, 5)
		var wg sync.WaitGroup
		for i, s := range streams {
			wg.Go(func() {
				var err error
				heard[i], err = collect(s)
				wantEOF(t, err)
			})
			wg.Go(func() { speak(s, 0, samples(4*time.Second)) })
		}
		connected := func() (on []int) {
			synctest.Wait()
			for i, s := range streams {
				if s.Stats().Connected {
					on = append(on, i)
				}
			}
			return on
		}
		want := func(on ...int) {
			t.Helper()
			if got := connected(); !slices.Equal(got, on) {
				t.Errorf("streams %v are connected, want %v", got, on)
			}
		}
		time.Sleep(5 * time.Second)
		want(0, 1)
		if h := client.Health(); h.Queued != 3 || h.Waiting != 3 || h.Connections != 2 {
			t.Errorf("got %+v, want three streams waiting", h)
		}
		_ = p.session(1).ws.Close() // a loss does not cost the place
		want(0, 1)
		streams[0].CloseSend()
		want(1, 2)
		streams[4].CloseSend() // goes before stream 3, which waits longer
		want(1, 2)
		streams[1].CloseSend()
		want(2, 3) // 4 was let in, and is done at once
		if got := streams[4].Stats().Connections; got != 1 {
			t.Errorf("the stream whose audio ended had %d connections, want its turn before stream 3", got)
		}
		streams[2].CloseSend()
		streams[3].CloseSend()
		wg.Wait()
		for i := range streams {
			wantWhole(t, fmt.Sprint("stream ", i), heard[i], streams[i].Stats().Written)
		}
		if got := fmt.Sprint(troubles(heard[0])); got != "[]" {
			t.Errorf("the first stream told of %s", got)
		}
		if got := fmt.Sprint(troubles(heard[3])); !strings.HasPrefix(got, "[degraded concurrency_limit 0s recovered concurrency_limit") {
			t.Errorf("the fourth stream told of %s, want the limit, at once, and the recovery", got)
		}
		shakes := len(p.shakes())
		if shakes != 6 {
			t.Errorf("got %d handshakes, want one for each stream and one for the loss", shakes)
		}
	})
}

func TestAStreamThatWaitsForAPlaceCanBeClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		client := p.client(func(c *Config) { c.MaxConnections = 1 })
		first := open(t, client)
		second := open(t, client)
		synctest.Wait()
		_ = second.Close()
		third := open(t, client)
		synctest.Wait()
		_ = first.Close()
		synctest.Wait()
		if !third.Stats().Connected {
			t.Error("the place of the first was not given to the third")
		}
		speak(third, 0, 8000)
		third.CloseSend()
		_, err := collect(third)
		wantEOF(t, err)
		if h := client.Health(); h.Streams != 0 || h.Queued != 0 {
			t.Errorf("got %+v, want nothing left", h)
		}
	})
}

func TestAStreamThatGetsNoPlaceIsUnfinished(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		client := p.client(func(c *Config) { c.MaxConnections = 1 })
		first := open(t, client)
		synctest.Wait()
		second := open(t, client)
		speak(second, 0, 8000)
		second.CloseSend()
		messages, err := collect(second)
		if !errors.Is(err, ErrUnfinished) {
			t.Errorf("got %v, want ErrUnfinished", err)
		}
		if g := gaps(messages); len(g) != 1 || *g[0] != (Gap{0, time.Second, CauseConcurrencyLimit}) {
			t.Errorf("got gaps %+v, want all of it", g)
		}
		if !first.Stats().Connected {
			t.Error("the first stream is not connected any more")
		}
	})
}

func TestTheStreamThatWaitsLongestProbesFirstUnlessAudioHasEnded(t *testing.T) {
	now := time.Now()
	g := newGuard([]*host{{mode: ModeOutage, nextAt: now.Add(time.Hour)}}, 0, nil)
	old, older, ended := g.join(now.Add(-time.Minute)), g.join(now.Add(-2*time.Minute)), g.join(now)
	for _, w := range []*waiter{old, older, ended} {
		g.ask(w, now)
	}
	g.hurry(ended)
	at := now.Add(time.Hour)
	for i, want := range []*waiter{ended, older, old} {
		g.mu.Lock()
		g.dispatch(at)
		g.mu.Unlock()
		for name, w := range map[string]*waiter{"old": old, "older": older, "ended": ended} {
			if got := len(w.turn) == 1; got != (w == want) {
				t.Errorf("turn %d: %s got one: %v", i+1, name, got)
			}
		}
		<-want.turn
		g.dialled(want, g.hosts[0], errors.New("refused"), at)
		at = at.Add(outagePace)
	}
	g.timer.Stop()
}

func TestHostKeepsItsPace(t *testing.T) {
	now := time.Now()
	h := &host{mode: ModeHealthy}
	burst := 0
	for ; h.free(now); burst++ {
		h.begin(now)
		if burst%2 == 1 && h.failures < outageFailures-1 { // every other fails at once
			h.dialing--
			h.fail(now)
		}
	}
	if burst != maxDials {
		t.Errorf("%d dials began before the outage was known, want %d", burst, maxDials)
	}
	for h.dialing > 0 {
		h.dialing--
		h.fail(now)
	}
	count := func(d time.Duration) (n int) {
		for end := now.Add(d); now.Before(end); now = now.Add(time.Millisecond) {
			if h.free(now) {
				h.begin(now)
				h.dialing--
				n++
				if h.mode == ModeOutage {
					h.fail(now)
				}
			}
		}
		return n
	}
	if n := count(lull); n != 0 {
		t.Errorf("%d dials in the second after the burst, want none", n)
	}
	if n := count(10 * time.Second); n != 40 {
		t.Errorf("%d dials in 10s of an outage, want 40", n)
	}
	h.succeed(now)
	for i, want := range []int{149, 299, 599} {
		if n := count(10 * time.Second); n < want*9/10 || n > want+1 {
			t.Errorf("%d dials in the %dth 10s of the recovery, want about %d", n, i+1, want)
		}
	}
	if h.relax(now); h.mode != ModeRecovering {
		t.Error("the recovery ended in the middle of it")
	}
	if h.relax(now.Add(2 * lull)); h.mode != ModeHealthy {
		t.Error("the recovery did not end")
	}
}

func TestCausesAreTheWordsForWhatHappened(t *testing.T) {
	timeout := &net.OpError{Op: "read", Err: context.DeadlineExceeded}
	tests := []struct {
		err       error
		connected bool
		want      Cause
	}{
		{errors.New("refused"), false, CauseUnreachable},
		{timeout, false, CauseUnreachable},
		{timeout, true, CauseStalled},
		{errStalled, true, CauseStalled},
		{&StatusError{Status: 429}, false, CauseRateLimited},
		{&StatusError{Status: 503}, false, CauseOverloaded},
		{&StatusError{Status: 500}, false, CauseOverloaded},
		{&StatusError{Status: 401}, false, CauseRefused},
		{&StatusError{Status: 400}, false, CauseRefused},
		{&CloseError{Code: 1006}, true, CauseConnectionLost},
		{&CloseError{Code: 1011, Reason: "net0000"}, true, CauseConnectionLost},
		{&CloseError{Code: 1011, Reason: "overloaded"}, true, CauseOverloaded},
		{&CloseError{Code: 1013}, true, CauseOverloaded},
		{&CloseError{Code: 1008, Reason: "too many connections"}, true, CauseRateLimited},
		{&CloseError{Code: 4001, Reason: "invalid api key"}, true, CauseRefused},
		{errDrainTimeout, true, CauseSlow},
	}
	for _, test := range tests {
		if got := causeOf(test.err, test.connected); got != test.want {
			t.Errorf("%v: got %s, want %s", test.err, got, test.want)
		}
	}
}

func TestAnAddressThatRefusesEverybodyDoesNotLookReady(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var up atomic.Bool
		p.refuse = func(int, *http.Request) (int, http.Header, string) {
			if up.Load() {
				return 0, nil, ""
			}
			return 401, nil, ""
		}
		client := p.client(nil)
		if h := client.Health(); !h.Ready() || h.Hosts[0].Host != "localhost" {
			t.Errorf("before the first stream: %+v, want ready", h)
		}
		s := open(t, client)
		s.Write(sound(0, 8000))
		s.CloseSend()
		_, err := collect(s)
		if h := client.Health(); !errors.Is(err, ErrUnauthorized) || h.Ready() || h.Refused != 0 {
			t.Errorf("got %v, and %+v; want it not ready", err, h)
		}
		up.Store(true)
		open(t, client)
		synctest.Wait()
		if h := client.Health(); !h.Ready() || h.Connections != 1 || h.Hosts[0].Dials != 3 || h.Hosts[0].Failures != 2 ||
			h.Setbacks[CauseRefused] != 2 {
			t.Errorf("after a success: %+v, want ready", h)
		}
	})
}
