package aldea

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/codec"
)

// refusing is a way to reach a peer that is closed while the switch is on.
func refusing(down *atomic.Bool) func(context.Context) error {
	return func(context.Context) error {
		if down.Load() {
			return errors.New("connection refused")
		}
		return nil
	}
}

// chat is speech and silence in turn: 2 s of each, n times.
func chat(s *Stream, from *int, n int) {
	for range n {
		speak(s, *from, *from+16000)
		hush(s, 16000)
		hush(s, 16000)
		*from += 48000
	}
}

// endpointing is a recognizer that sends an interim every second of speech, and a final after 500 ms of
// silence.
func endpointing(s *session) {
	quiet, voiced, told := 0, false, 0
	for {
		before := s.heard()
		switch s.read() {
		case "":
			return
		case "CloseStream":
			s.finalize("last")
			s.close(1000, "")
			return
		}
		s.mu.Lock()
		loud := codec.MayBeSpeech(s.audio[before:])
		s.mu.Unlock()
		if loud {
			quiet, voiced = 0, true
			if n := s.heard(); n-told > 8000 {
				told = n
				s.result(s.final, n, false, "saying")
			}
			continue
		}
		if quiet += s.heard() - before; quiet >= 4000 && voiced {
			voiced = false
			s.finalize("said")
		}
	}
}

func TestAStreamGoesOnToTheNextHostAndComesBackInASilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		var down atomic.Bool
		one.dial = refusing(&down)
		one.serve = func(_ int, s *session) { endpointing(s) }
		two.serve = func(_ int, s *session) { endpointing(s) }
		client := both(one, two, nil)
		s := open(t, client)
		at := 0
		chat(s, &at, 1)
		down.Store(true)
		_ = one.session(1).ws.Close()
		start := time.Now()
		chat(s, &at, 5) // 30 s
		if took := two.session(1).opened.Sub(start); took != 0 {
			t.Errorf("the second host was reached after %v, want at once", took)
		}
		if got := s.Stats().Host; got != "two.test" {
			t.Errorf("the stream is at %s", got)
		}
		if n := len(one.all()); n != 1 {
			t.Errorf("got %d connections to the first host while it was down", n)
		}
		replayed := s.Stats().Replayed
		down.Store(false)
		chat(s, &at, 4)
		stats := s.Stats()
		if stats.Host != "one.test" || stats.Moved != 1 || stats.Lost != 1 {
			t.Errorf("24s after the first host came back: %+v, want the stream there, moved once", stats)
		}
		if got := stats.Replayed - replayed; got > moveKeep {
			t.Errorf("the move replayed %v, want no more than %v", got, moveKeep)
		}
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		said := 0
		for _, r := range finals(messages) {
			if r.Transcript == "said" {
				said++
			}
		}
		if said != 10 {
			t.Errorf("%d utterances were heard, want all 10, each once", said)
		}
		if g := gaps(messages); len(g) != 0 {
			t.Errorf("got gaps %+v", g)
		}
		synctest.Wait()
		if closed := two.session(1).ended(); closed == nil || !strings.Contains(closed.Error(), "1000") {
			t.Errorf("the second host saw the end as %v, want close 1000", closed)
		}
		if got := one.sessionsThatHeardNothing(); got != 1 {
			t.Errorf("%d connections of the first host carried nothing, want the one that found out", got)
		}
		if probe := one.session(2); probe.ended() == nil || !strings.Contains(probe.ended().Error(), "1000") {
			t.Errorf("it ended with %v, want close 1000", probe.ended())
		}
	})
}

// ended is why reading from the client ended.
func (s *session) ended() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readErr
}

// sessionsThatHeardNothing counts the connections without audio.
func (p *peer) sessionsThatHeardNothing() (n int) {
	for _, s := range p.all() {
		if s.heard() == 0 {
			n++
		}
	}
	return n
}

func TestAStreamDoesNotLeaveInTheMiddleOfSpeech(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		var down atomic.Bool
		down.Store(true)
		one.dial = refusing(&down)
		one.serve = func(_ int, s *session) { endpointing(s) }
		two.serve = func(_ int, s *session) { endpointing(s) }
		s := open(t, both(one, two, nil))
		speak(s, 0, 8000)
		down.Store(false)
		speak(s, 8000, samples(40*time.Second))
		if stats := s.Stats(); stats.Host != "two.test" || stats.Moved != 0 {
			t.Errorf("while somebody spoke: %+v, want the stream where it was", stats)
		}
		hush(s, samples(4*time.Second))
		if stats := s.Stats(); stats.Host != "one.test" || stats.Moved != 1 {
			t.Errorf("in the silence after it: %+v, want the stream at the first host", stats)
		}
	})
}

func TestManyStreamsDoNotComeBackAtOnceAndOneProbeServesThemAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.serve = func(_ int, s *session) { endpointing(s) }
		two.serve = func(_ int, s *session) { endpointing(s) }
		var down atomic.Bool
		down.Store(true)
		var d dials
		start := time.Now()
		refuse := refusing(&down)
		one.dial = func(ctx context.Context) error { d.note(start); return refuse(ctx) }
		client := both(one, two, nil)
		streams := make([]*Stream, 30)
		for i := range streams {
			streams[i] = open(t, client)
			go hush(streams[i], samples(70*time.Second))
		}
		time.Sleep(40 * time.Second)
		if n := len(d.later(10 * time.Second)); n < 4 || n > 8 {
			t.Errorf("the first host was dialled %d times in 30s, want one probe every 5s", n)
		}
		down.Store(false)
		time.Sleep(20 * time.Second)
		if h := client.Health(); h.Hosts[0].Connections != 30 || h.Hosts[1].Connections != 0 {
			t.Errorf("20s after it came back: %+v, want all streams there", h)
		}
		if n, at := peak(d.later(40 * time.Second)); n >= 20 {
			t.Errorf("%d dials in the second from %v on, want less than 20", n, at)
		}
		time.Sleep(15 * time.Second) // until all silence is written
	})
}

func TestAHostThatRefusesTheKeyIsPassedOver(t *testing.T) {
	for _, status := range []int{400, 401} {
		synctest.Test(t, func(t *testing.T) {
			one, two := newPeer(t), newPeer(t)
			one.refuse = func(int, *http.Request) (int, http.Header, string) { return status, nil, "no" }
			client := both(one, two, func(c *Config) { c.Auth = AuthBearer })
			for range 3 {
				s := open(t, client)
				speak(s, 0, 8000)
				s.CloseSend()
				messages, err := collect(s)
				wantEOF(t, err)
				wantWhole(t, "the stream", messages, time.Second)
			}
			if n := len(one.shakes()); n != 1 {
				t.Errorf("%d: %d handshakes with the first host, want one within a minute", status, n)
			}
		})
	}
}

func TestAHostThatRefusedAStreamIsTriedAgainAfterAnotherServedIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
			if n == 1 {
				return 401, nil, ""
			}
			return 0, nil, ""
		}
		two.serve = func(_ int, s *session) {
			s.readUntil(8000)
			s.result(0, 8000, true, "one")
			time.Sleep(100 * time.Millisecond)
			s.readUntil(samples(80 * time.Second))
		}
		s := open(t, both(one, two, func(c *Config) { c.Auth = AuthBearer; c.StallTimeout = time.Hour }))
		speak(s, 0, samples(90*time.Second))
		if got := s.Stats(); got.Host != "one.test" || got.Connections != 2 {
			t.Errorf("got %+v, want the stream at the first host", got)
		}
	})
}

func TestOneHostsRetryAfterIsNotTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		var down atomic.Bool
		down.Store(true)
		one.dial = refusing(&down)
		two.refuse = func(int, *http.Request) (int, http.Header, string) {
			return 503, http.Header{"Retry-After": {"25"}}, ""
		}
		s := open(t, both(one, two, nil))
		time.Sleep(3 * time.Second)
		down.Store(false)
		time.Sleep(12 * time.Second) // longer than any wait of its own, shorter than the second host asked for
		if got := s.Stats().Host; got != "one.test" {
			t.Errorf("12s after the first host came back, the stream is at %q", got)
		}
		if n := len(two.shakes()); n != 1 {
			t.Errorf("the second host was asked %d times, want once", n)
		}
	})
}

func TestAStreamThatAllHostsRefuseFailsWithTheFirstReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.refuse = func(int, *http.Request) (int, http.Header, string) { return 401, nil, "" }
		two.refuse = func(int, *http.Request) (int, http.Header, string) { return 404, nil, "" }
		s := open(t, both(one, two, nil))
		speak(s, 0, 8000)
		s.CloseSend()
		if _, err := collect(s); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("got %v, want ErrUnauthorized", err)
		}
	})
}

func TestTheFormOfTheKeyIsRememberedByHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		var down atomic.Bool
		one.dial = refusing(&down)
		one.refuse = refuseSubprotocol
		client := both(one, two, nil)
		s := open(t, client)
		speak(s, 0, 8000)
		down.Store(true)
		_ = one.session(1).ws.Close()
		speak(s, 8000, 16000)
		forms := []Auth{client.guard.hosts[0].auth.current(), client.guard.hosts[1].auth.current()}
		if !slices.Equal(forms, []Auth{AuthBearer, AuthSubprotocol}) {
			t.Errorf("got forms %v, want bearer for the first host only", forms)
		}
		if h := two.shakes()[0]; len(h.protocols) == 0 {
			t.Errorf("the second host saw %+v, want the key as subprotocol", h)
		}
	})
}

func TestAHostThatAcceptsAndClosesIsLeftForTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.serve = func(_ int, s *session) { s.close(1011, "overloaded") }
		s := open(t, both(one, two, nil))
		start := time.Now()
		speak(s, 0, 8000)
		if took := two.session(1).opened.Sub(start); took > 100*time.Millisecond {
			t.Errorf("the second host was reached after %v", took)
		}
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		wantWhole(t, "the stream", messages, time.Second)
	})
}

func TestAHostThatAcceptsAndStallsIsLeftForAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.serve = func(n int, s *session) {
			if n > 1 {
				endpointing(s)
				return
			}
			for s.read() != "" {
			}
		}
		two.serve = func(_ int, s *session) { endpointing(s) }
		client := both(one, two, func(c *Config) { c.ReplaySpeed = -1 })
		s := open(t, client)
		speak(s, 0, samples(25*time.Second))
		if got := s.Stats(); got.Host != "two.test" || got.Stalled != 1 {
			t.Errorf("after the stall: %+v, want the stream at the second host", got)
		}
		other := open(t, client)
		synctest.Wait()
		if got := other.Stats().Host; got != "two.test" {
			t.Errorf("another stream went to %s", got)
		}
		hush(s, samples(50*time.Second))
		if got := s.Stats().Host; got != "two.test" {
			t.Errorf("the stream went back to %s within a minute", got)
		}
		hush(s, samples(15*time.Second))
		if got := s.Stats().Host; got != "one.test" {
			t.Errorf("after more than a minute the stream is at %s", got)
		}
	})
}

func TestAStreamThatOneHostCannotBearDoesNotCostItTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.serve = func(n int, s *session) {
			if n <= 2 {
				s.readUntil(480)
				s.close(1008, "DATA-0000")
				return
			}
			s.obey()
		}
		client := both(one, two, nil)
		s := open(t, client)
		for range 2 { // the second host drops it between the two
			speak(s, 0, 16000)
			if all := two.all(); len(all) > 0 {
				_ = all[len(all)-1].ws.Close()
			}
			speak(s, 16000, 32000)
		}
		other := open(t, client)
		synctest.Wait()
		if got := other.Stats().Host; got != "one.test" {
			t.Errorf("another stream went to %s", got)
		}
		s.CloseSend()
		_, err := collect(s)
		wantEOF(t, err)
	})
}

func TestTheProbeKeepsAwayAsLongAsItIsTold(t *testing.T) {
	tests := map[string]struct {
		refuse      func() (int, http.Header, string)
		least, most int // in four minutes
	}{
		"refused":      {func() (int, http.Header, string) { return 401, nil, "" }, 4, 5},
		"asked for 25": {func() (int, http.Header, string) { return 503, http.Header{"Retry-After": {"25"}}, "" }, 7, 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newPeer(t), newPeer(t)
				one.refuse = func(int, *http.Request) (int, http.Header, string) { return test.refuse() }
				s := open(t, both(one, two, func(c *Config) { c.Auth = AuthBearer }))
				hush(s, samples(4*time.Minute))
				if n := len(one.shakes()); n < test.least || n > test.most {
					t.Errorf("the first host was asked %d times, want %d to %d times", n, test.least, test.most)
				}
				if got := s.Stats(); got.Moved != 0 || got.Connections != 1 {
					t.Errorf("got %+v, want the stream undisturbed", got)
				}
			})
		})
	}
}

func TestAStreamMayMoveOnlyWhenNothingIsOpen(t *testing.T) {
	const second = 8000
	tests := map[string]struct {
		change func(*source)
		want   bool
	}{
		"silence after a final": {func(*source) {}, true},
		"a shorter silence":     {func(s *source) { s.loudEnd, s.settled = 9*second, 9*second }, false},
		"speech without final":  {func(s *source) { s.settled = 4 * second }, false},
		"an interim":            {func(s *source) { s.interim = true }, false},
		"a backlog":             {func(s *source) { s.ring.append(silence(second)) }, false},
		"a Finalize":            {func(s *source) { s.finalize(false) }, false},
		"the end":               {func(s *source) { s.ended = true }, false},
	}
	for name, test := range tests {
		s := newSource(80 * second)
		s.ring.append(silence(10 * second))
		s.send(10 * second)
		s.loudEnd, s.settled = 5*second, 5*second
		test.change(s)
		if got := s.movable(2 * time.Second); got != test.want {
			t.Errorf("%s: got %v, want %v", name, got, test.want)
		}
	}
}

func TestTheProbeEndsWithTheLastStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		one.dial = func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
		client := both(one, two, func(c *Config) { c.DialTimeout = 3 * time.Second })
		s := client.Open(t.Context())
		time.Sleep(30 * time.Second)
		start := time.Now()
		_ = s.Close()
		if took := time.Since(start); took != 0 {
			t.Errorf("Close took %v, want no time", took)
		}
		client.guard.mu.Lock()
		defer client.guard.mu.Unlock()
		if client.guard.probe.cancel != nil || client.guard.hosts[0].dialing != 0 {
			t.Error("the client still probes")
		}
	})
}
