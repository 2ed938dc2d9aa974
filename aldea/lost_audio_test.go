package aldea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestAnOutageIsOneGapHoweverItEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var down atomic.Bool
		p.dial = refusing(&down)
		p.serve = func(n int, s *session) {
			switch {
			case n == 1:
				s.readUntil(samples(2 * time.Second))
				s.result(0, samples(time.Second), true, "before")
				down.Store(true)
			case n < 6: // comes up in fits and starts
				s.say(`{"type":"Metadata"}`)
				s.readUntil(8000)
				time.Sleep(300 * time.Millisecond)
			default:
				s.obey()
			}
		}
		s := open(t, p.client(func(c *Config) { c.Buffer = 5 * time.Second; c.StallTimeout = time.Hour }))
		speak(s, 0, samples(60*time.Second))
		down.Store(false)
		speak(s, samples(60*time.Second), samples(100*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := gaps(messages)
		if len(got) != 1 || got[0].From != time.Second || got[0].To < 55*time.Second || got[0].Cause != CauseUnreachable {
			t.Fatalf("got gaps %v, want one from 1s on", list(got))
		}
		last := finals(messages)[1]
		if last.Start != got[0].To || last.End != 100*time.Second {
			t.Errorf("got the last final from %v to %v, want from the end of the gap %v to 100s", last.Start, last.End, got[0].To)
		}
		if want := sound(samples(last.Start), samples(last.End-last.Start)); !bytes.Equal(p.session(6).heardAudio(), want) {
			t.Error("the last connection did not hear exactly what is behind the gap")
		}
		if lost := s.Stats().Gap; lost != got[0].To-got[0].From {
			t.Errorf("got %v counted as lost, want the gap's length", lost)
		}
		seen := false
		for _, m := range messages {
			_, gap := m.(*Gap)
			seen = seen || gap
			if r, ok := m.(*Results); ok && r.End > got[0].From && !seen {
				t.Errorf("the result up to %v came before the gap", r.End)
			}
		}
	})
}

func TestAGapIsToldSoonAlsoIfTheBacklogStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(5990 * time.Millisecond); return nil }
		s := open(t, p.client(func(c *Config) { c.Buffer = 2 * time.Second; c.ReplaySpeed = 1 }))
		got := listenFor(s)
		speak(s, 0, samples(15*time.Second))
		all := got()
		if len(all) != 2 {
			t.Fatalf("got %v, want degraded, and the gap", all)
		}
		gap, _ := all[1].m.(*Gap)
		if gap == nil || *gap != (Gap{0, 4 * time.Second, CauseUnreachable}) || all[1].at < 6990*time.Millisecond || all[1].at > 7100*time.Millisecond {
			t.Errorf("got %+v after %v, want the first 4s, a second after the connection", all[1].m, all[1].at)
		}
	})
}

func TestARecognizerAtHalfSpeedHearsWholePieces(t *testing.T) {
	for _, test := range []struct {
		buffer, least time.Duration
		few, many     int
	}{{8 * time.Second, skipAhead, 5, 30}, {2 * time.Second, 250 * time.Millisecond, 30, 120}} {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			p.serve = func(_ int, s *session) {
				for n := s.heard(); s.read() != ""; n = s.heard() {
					time.Sleep(2 * timeOf(int64(s.heard()-n)))
				}
			}
			s := open(t, p.client(func(c *Config) { c.Buffer = test.buffer; c.StallTimeout = time.Hour }))
			got := listenFor(s)
			speak(s, 0, samples(time.Minute))
			heard := p.session(1).heardAudio()
			var want []byte
			from, n := 0, 0
			for _, told := range got() {
				gap, ok := told.m.(*Gap)
				if !ok {
					continue
				}
				if n++; gap.Cause != CauseSlow || gap.To-gap.From < test.least {
					t.Errorf("got %+v, want at least %v, because of the speed", *gap, test.least)
				}
				want = append(want, sound(from, samples(gap.From)-from)...)
				from = samples(gap.To)
			}
			if n < test.few || n > test.many {
				t.Errorf("with %v: got %d gaps in a minute, want %d to %d", test.buffer, n, test.few, test.many)
			}
			if len(want) < samples(10*time.Second) || !bytes.HasPrefix(heard, want) {
				t.Error("the recognizer did not hear exactly what lies outside of the gaps")
			}
		})
	}
}

func TestAGapGrowsUntilItIsTold(t *testing.T) {
	now := time.Now()
	s := newSource(16000)
	s.ring.append(sound(0, 24000)) // 8000 are lost
	if got := s.skipLost(CauseUnreachable, now); got != 8000 {
		t.Errorf("%d samples were lost, want 8000", got)
	}
	if s.send(1600); s.sent != 9600 {
		t.Errorf("%d is the first sample never sent, want 9600", s.sent)
	}
	s.rewind(0)
	s.ring.append(sound(0, 8000))
	if got := s.skipLost(CauseOverloaded, now); got != 8000 {
		t.Errorf("%d more samples were lost, want 8000", got)
	}
	if !s.gapBefore(timeOf(1)) || s.gapBefore(0) {
		t.Error("the gap is not before what lies behind its beginning")
	}
	if got := s.takeGap(); got == nil || *got != (Gap{0, 2 * time.Second, CauseUnreachable}) {
		t.Errorf("got %+v, want one gap of 2s", got)
	}
	// What was sent but is not settled is lost with the next outage.
	s.settled, s.lost = 4000, lostAudio{from: 12000, to: 16000, cause: CauseSlow}
	s.rewind(0)
	s.skipLost(CauseUnreachable, now)
	if got := s.takeGap(); got == nil || got.From != timeOf(4000) || got.To != 2*time.Second {
		t.Errorf("got %+v, want all that is not settled", got)
	}
}

func TestAnInterimThatIsAbandonedIsAGap(t *testing.T) {
	s := newSource(16000)
	s.ring.append(silence(8000))
	s.send(8000)
	if s.abandon(CauseUnreachable); s.takeGap() != nil {
		t.Error("silence is a gap")
	}
	s.interim = true
	if s.abandon(CauseUnreachable); s.takeGap() == nil {
		t.Error("words that were heard once are no gap")
	}
}

func TestAGapComesBeforeTheFirstResultBehindIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.dial = func(context.Context) error { time.Sleep(5990 * time.Millisecond); return nil }
		p.serve = func(_ int, s *session) {
			s.readUntil(8000)
			s.result(0, 4000, false, "quick")
			s.obey()
		}
		s := open(t, p.client(func(c *Config) { c.Buffer = 2 * time.Second; c.ReplaySpeed = -1 }))
		speak(s, 0, samples(7*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		var order []string
		for _, m := range messages {
			order = append(order, strings.TrimPrefix(fmt.Sprintf("%T", m), "*aldea."))
		}
		if got := strings.Join(order, " "); got != "Degraded Gap Results Recovered Results" {
			t.Errorf("got %s", got)
		}
		if g := gaps(messages); *g[0] != (Gap{0, 4 * time.Second, CauseUnreachable}) {
			t.Errorf("got %+v, want the first 4s", *g[0])
		}
	})
}

func TestAudioThatIsNeverHeardAtTheEndIsAGap(t *testing.T) {
	for _, test := range []struct {
		name string
		say  func(s *Stream)
		want []Gap
	}{
		{"speech", func(s *Stream) { speak(s, 0, samples(5*time.Second)) }, []Gap{{1020 * time.Millisecond, 5 * time.Second, CauseUnreachable}}},
		{"silence", func(s *Stream) { speak(s, 0, 8160); hush(s, samples(4*time.Second)) }, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				var down atomic.Bool
				p.dial = refusing(&down)
				p.serve = func(_ int, s *session) {
					s.readUntil(8160)
					s.result(0, 8160, true, "one")
					down.Store(true)
				}
				s := open(t, p.client(nil))
				test.say(s)
				s.CloseSend()
				messages, err := collect(s)
				if !errors.Is(err, ErrUnfinished) {
					t.Errorf("got %v, want ErrUnfinished", err)
				}
				got := gaps(messages)
				if len(got) != len(test.want) {
					t.Fatalf("got gaps %+v, want %v", got, test.want)
				}
				for i, want := range test.want {
					if *got[i] != want {
						t.Errorf("got %+v, want %+v", *got[i], want)
					}
				}
			})
		})
	}
}

func TestAFinalThatClaimsMoreThanWasSentSettlesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(samples(2 * time.Second))
				s.say(`{"type":"Results","start":1,"duration":7200,"is_final":true,"channel":{"alternatives":[` +
					`{"transcript":"odd","words":[["odd",7199000,7200000]]}]}}`)
				s.readUntil(samples(3 * time.Second))
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(5*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if r := got[0]; r.Transcript != "odd" || r.End > 2100*time.Millisecond || r.Words[0].End > 2100*time.Millisecond {
			t.Errorf("got %+v, want no time behind what was sent", r)
		}
		if r := got[1]; r.Start != 0 || r.End != 5*time.Second {
			t.Errorf("got a replay from %v to %v, want all of it", r.Start, r.End)
		}
	})
}

func TestMemoryIsGivenBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var down atomic.Bool
		p.dial = refusing(&down)
		p.serve = func(_ int, s *session) { counting(s) }
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = -1 }))
		end := gather(s)
		size := func() int {
			s.mu.Lock()
			defer s.mu.Unlock()
			return s.src.ring.taken()
		}
		speak(s, 0, samples(10*time.Second))
		before := size()
		down.Store(true)
		_ = p.session(1).ws.Close()
		speak(s, samples(10*time.Second), samples(40*time.Second))
		if got := size(); got < samples(30*time.Second) {
			t.Errorf("the ring has %d bytes, want room for 30s", got)
		}
		down.Store(false)
		speak(s, samples(40*time.Second), samples(65*time.Second))
		if most := samples(2 * time.Second); size() > most || before > most {
			t.Errorf("the ring has %d bytes after the replay, and had %d before, want %d at most", size(), before, most)
		}
		speak(s, samples(65*time.Second), samples(70*time.Second))
		s.CloseSend()
		messages, err := end()
		wantEOF(t, err)
		wantWhole(t, "the stream", messages, 70*time.Second)
		if size() != 0 {
			t.Errorf("the ring has %d bytes after the end", size())
		}
	})
}
