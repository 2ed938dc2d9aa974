package aldea

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// told is one message about trouble, and when it came.
type told struct {
	at time.Duration
	m  Message
}

// listenFor collects what a stream tells about trouble, until its end.
func listenFor(s *Stream) (get func() []told) {
	start := time.Now()
	done := make(chan struct{})
	var all []told
	go func() {
		defer close(done)
		for {
			m, err := s.Next(context.Background())
			if err != nil {
				return
			}
			switch m.(type) {
			case *Degraded, *Recovered, *Gap:
				all = append(all, told{time.Since(start), m})
			}
		}
	}()
	return func() []told { _ = s.Close(); <-done; return all }
}

func TestTroubleIsToldWhenItBeginsGetsWorseAndEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		hang := atomic.Bool{}
		p.dial = func(ctx context.Context) error {
			if hang.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}
		p.serve = func(_ int, s *session) { counting(s) }
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = 2; c.DialTimeout = 8 * time.Second }))
		got := listenFor(s)
		lost := time.Now().Add(5 * time.Second)
		time.AfterFunc(5*time.Second, func() { hang.Store(true); _ = p.session(1).ws.Close() })
		time.AfterFunc(40*time.Second, func() { hang.Store(false) })
		speak(s, 0, samples(2*time.Minute))
		all := got()
		if len(all) != 3 {
			t.Fatalf("got %d messages, want degraded, down and recovered: %v", len(all), all)
		}
		degraded, _ := all[0].m.(*Degraded)
		if degraded == nil || all[0].at != 8*time.Second || degraded.Down || degraded.Cause != CauseConnectionLost ||
			!degraded.Since.Equal(lost) || degraded.Reason == "" {
			t.Errorf("got %+v after %v, want degraded 3s after the loss", all[0].m, all[0].at)
		}
		if b := degraded.Backlog; b < 3*time.Second || b > 3500*time.Millisecond {
			t.Errorf("got a backlog of %v, want about 3s", b)
		}
		down, _ := all[1].m.(*Degraded)
		if down == nil || all[1].at != 35*time.Second || !down.Down || down.Cause != CauseUnreachable || !down.Since.Equal(lost) {
			t.Errorf("got %+v after %v, want down 30s after the loss", all[1].m, all[1].at)
		}
		recovered, _ := all[2].m.(*Recovered)
		if recovered == nil || recovered.Cause != CauseUnreachable || !recovered.Since.Equal(lost) || recovered.Backlog < 35*time.Second {
			t.Errorf("got %+v, want the recovery of all that", all[2].m)
		}
		// The backlog, of 35 s and more, takes as long again at twice real time.
		if at := all[2].at; at < 70*time.Second || at > 115*time.Second {
			t.Errorf("the recovery came after %v, want when the backlog was gone", at)
		}
	})
}

func TestAStreamIsDegradedAfterThreeFailures(t *testing.T) {
	tests := []struct {
		status int
		want   Cause
	}{{503, CauseOverloaded}, {429, CauseRateLimited}, {0, CauseUnreachable}}
	for _, test := range tests {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			var failures atomic.Int64
			p.dial = func(context.Context) error {
				if test.status == 0 && failures.Add(1) <= 3 {
					return errors.New("connection refused for org_secret")
				}
				return nil
			}
			p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
				if test.status != 0 && n <= 3 {
					return test.status, nil, "busy, org_secret"
				}
				return 0, nil, ""
			}
			s := open(t, p.client(nil))
			speak(s, 0, samples(10*time.Second))
			s.CloseSend()
			messages, err := collect(s)
			wantEOF(t, err)
			got := troubles(messages)
			if len(got) != 2 || !strings.HasPrefix(got[0], "degraded "+string(test.want)) || !strings.HasPrefix(got[1], "recovered "+string(test.want)) {
				t.Errorf("%d: got %v, want degraded and recovered", test.status, got)
			}
			if d := messages[0].(*Degraded); d.Reason == "" || strings.Contains(d.Reason, "org_secret") {
				t.Errorf("got the reason %q", d.Reason)
			}
		})
	}
}

func TestALossThatIsMendedAtOnceIsNotTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			defer time.AfterFunc(5*time.Second, func() { _ = s.ws.Close() }).Stop()
			counting(s)
		}
		s := open(t, p.client(nil))
		end := gather(s)
		speak(s, 0, samples(61*time.Second))
		s.CloseSend()
		messages, err := end()
		wantEOF(t, err)
		if got := troubles(messages); len(got) != 0 || s.Stats().Lost < 10 {
			t.Errorf("got %v after %d losses, want nothing told", got, s.Stats().Lost)
		}
		wantWhole(t, "the stream", messages, 61*time.Second)
	})
}

func TestAConnectionThatDoesNotLastIsNoRecovery(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n <= 8 {
				s.say(`{"type":"Metadata"}`)
				s.close(1011, "overloaded")
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(time.Minute))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := troubles(messages)
		if len(got) < 2 || len(got) > 3 || !strings.HasPrefix(got[0], "degraded overloaded") || !strings.HasPrefix(got[len(got)-1], "recovered overloaded") {
			t.Errorf("got %v, want one trouble and its end", got)
		}
	})
}

func TestAConnectionThatDoesNotLastIsNoRecoveryOfAMuteStreamEither(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n <= 6 {
				s.close(1011, "overloaded")
				return
			}
			s.obey()
		}
		s := open(t, p.client(nil))
		got, start := listenFor(s), time.Now()
		time.Sleep(time.Minute)
		all := got()
		if len(all) < 2 || len(all) > 3 {
			t.Fatalf("got %v, want one trouble and its end", all)
		}
		last := all[len(all)-1]
		if want := p.session(7).opened.Sub(start) + calmAfter; last.at != want {
			t.Errorf("the recovery was told after %v, want after %v, a second after the connection", last.at, want)
		}
	})
}

func TestASecondTroubleBeforeTheEndOfTheFirstIsThatOne(t *testing.T) {
	now := time.Now()
	trouble := trouble{alarm: time.NewTimer(time.Hour)}
	trouble.begin(now, CauseConnectionLost, "")
	trouble.told = levelDegraded
	trouble.failures = 5
	trouble.begin(now.Add(time.Minute), CauseStalled, "")
	if !trouble.since.Equal(now) || !trouble.apart.Equal(now.Add(time.Minute)) || trouble.failures != 0 {
		t.Errorf("got %+v, want it to have begun at the first", trouble)
	}
	if got := trouble.level(now.Add(time.Minute)); got != levelNone {
		t.Errorf("got level %d at its beginning", got)
	}
	trouble.told = levelNone
	trouble.begin(now.Add(time.Minute), CauseStalled, "")
	if !trouble.since.Equal(now.Add(time.Minute)) {
		t.Errorf("got %+v, want it to have begun at the second: nobody heard of the first", trouble)
	}
}

func TestAStalledConnectionIsReplaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.say(`{"type":"Metadata"}`) // and answers pings
				for s.read() != "" {
				}
				return
			}
			s.obey()
		}
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = -1 }))
		hush(s, samples(10*time.Second))
		start := time.Now()
		speak(s, samples(10*time.Second), samples(40*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		took := p.session(2).opened.Sub(start)
		if took < 20*time.Second || took > 20200*time.Millisecond {
			t.Errorf("the connection was given up after %v of speech, want 20s", took)
		}
		if got := troubles(messages); len(got) != 2 || !strings.HasPrefix(got[0], "degraded stalled") || !strings.HasPrefix(got[1], "recovered stalled") {
			t.Errorf("got %v, want degraded and recovered", got)
		}
		stats := s.Stats()
		if stats.Stalled != 1 || stats.Connections != 2 {
			t.Errorf("got %+v, want one stall", stats)
		}
		if !bytes.HasSuffix(p.session(2).heardAudio(), sound(samples(10*time.Second), samples(30*time.Second))) {
			t.Error("the second connection did not hear all the speech")
		}
	})
}

func TestSilenceAndSpeechThatIsAnsweredAreNoStall(t *testing.T) {
	tests := map[string]func(p *peer) (*Client, func(*Stream)){
		"silence": func(p *peer) (*Client, func(*Stream)) {
			return p.client(nil), func(s *Stream) { hush(s, samples(2*time.Minute)) }
		},
		"a word, and silence": func(p *peer) (*Client, func(*Stream)) {
			return p.client(func(c *Config) { c.StallTimeout = 3 * time.Minute }), func(s *Stream) { speak(s, 0, 8000); hush(s, samples(2*time.Minute)) }
		},
		"a word, and a mute line": func(p *peer) (*Client, func(*Stream)) {
			return p.client(nil), func(s *Stream) { speak(s, 0, 8000); time.Sleep(2 * time.Minute) }
		},
		"an unknown message now and then": func(p *peer) (*Client, func(*Stream)) {
			p.serve = func(_ int, s *session) {
				go func() {
					for range 12 {
						time.Sleep(15 * time.Second)
						s.say(`{"type":"Weather"}`)
					}
				}()
				s.obey()
			}
			return p.client(nil), func(s *Stream) { speak(s, 0, samples(2*time.Minute)); time.Sleep(time.Minute) }
		},
		"a final every 20s": func(p *peer) (*Client, func(*Stream)) {
			return p.client(func(c *Config) { c.Endpointing = "false"; c.NoInterims = true }), func(s *Stream) { speak(s, 0, samples(2*time.Minute)) }
		},
		"a final every 20s, and some more": func(p *peer) (*Client, func(*Stream)) {
			p.serve = func(_ int, s *session) {
				for what := s.read(); what != ""; what = s.read() {
					if what == "Finalize" {
						time.Sleep(2 * time.Second)
						s.finalize("flushed")
					}
				}
			}
			return p.client(func(c *Config) { c.Endpointing = "false" }), func(s *Stream) { speak(s, 0, samples(2*time.Minute)) }
		},
		"a burst": func(p *peer) (*Client, func(*Stream)) {
			return p.client(func(c *Config) { c.ReplaySpeed = -1 }), func(s *Stream) { s.Write(sound(0, samples(50*time.Second))); time.Sleep(15 * time.Second) }
		},
		"a consumer that is slow": func(p *peer) (*Client, func(*Stream)) {
			p.serve = func(_ int, s *session) {
				for range messageQueue + 1 {
					s.result(0, 0, true, "word")
				}
				s.ws.SetPingHandler(func(string) error { return nil })
				s.obey()
			}
			return p.client(nil), func(s *Stream) { speak(s, 0, samples(40*time.Second)) }
		},
	}
	for name, prepare := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				client, act := prepare(p)
				s := open(t, client)
				act(s)
				if stats := s.Stats(); stats.Stalled != 0 || stats.Lost != 0 {
					t.Errorf("got %+v, want the first connection", stats)
				}
			})
		})
	}
}

func TestStallsWithoutAnyResultBecomeRarer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			for s.read() != "" { // music to it
			}
		}
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = -1; c.Buffer = 10 * time.Minute }))
		speak(s, 0, samples(6*time.Minute))
		var gave []string
		for i, session := range p.all()[1:] {
			gave = append(gave, session.opened.Sub(p.all()[i].opened).Round(time.Second).String())
		}
		if got := strings.Join(gave, " "); got != "20s 40s 1m20s 2m40s" {
			t.Errorf("connections were given up after %s, want each after twice the time", got)
		}
	})
}

func TestAConnectionThatAnswersMakesTheNextStallCountAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			for said := n == 1; s.read() != ""; {
				if !said && s.heard() > samples(30*time.Second) {
					said = true
					s.result(0, s.heard(), false, "some")
				}
			}
		}
		s := open(t, p.client(func(c *Config) { c.ReplaySpeed = -1; c.Buffer = 10 * time.Minute }))
		speak(s, 0, samples(3*time.Minute))
		var gave []string
		for i, session := range p.all()[1:] {
			gave = append(gave, session.opened.Sub(p.all()[i].opened).Round(time.Second).String())
		}
		// The first never answers. The second has 40 s, answers after ten, and has them again; then all is as before.
		if got := strings.Join(gave, " "); got != "20s 50s 20s 20s 20s 20s 20s" {
			t.Errorf("connections were given up after %s", got)
		}
	})
}

func TestAHalfOpenConnectionIsFoundInTimeAndNothingIsLost(t *testing.T) {
	tests := map[string]func(s *session){
		"reads nothing": func(s *session) { <-s.peer.closed },
		"answers nothing": func(s *session) {
			s.ws.SetPingHandler(func(string) error { return nil })
			for s.read() != "" {
			}
		},
		"dies after a while": func(s *session) {
			answer := s.ws.PingHandler()
			s.ws.SetPingHandler(func(data string) error {
				if time.Since(s.opened) > 5*time.Second {
					return nil
				}
				return answer(data)
			})
			for s.read() != "" {
			}
		},
	}
	for name, serve := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				p.serve = func(n int, s *session) {
					if n == 1 {
						serve(s)
						return
					}
					s.obey()
				}
				s := open(t, p.client(func(c *Config) { c.ReplaySpeed = -1; c.StallTimeout = time.Hour }))
				from := time.Now()
				for i := range 50 * 60 {
					start := time.Now()
					s.Write(sound(i*160, 160))
					if took := time.Since(start); took != 0 {
						t.Fatalf("Write took %v", took)
					}
					time.Sleep(20 * time.Millisecond)
				}
				s.CloseSend()
				messages, err := collect(s)
				wantEOF(t, err)
				if took := p.session(2).opened.Sub(from); took > 25*time.Second {
					t.Errorf("it was found after %v, want within 25s", took)
				}
				wantWhole(t, name, messages, time.Minute)
				if !bytes.Equal(p.session(2).heardAudio(), sound(0, samples(time.Minute))) {
					t.Error("the second connection did not hear all that was written")
				}
			})
		})
	}
}

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

func TestARecogniserAtHalfSpeedHearsWholePieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) {
			for n := s.heard(); s.read() != ""; n = s.heard() {
				time.Sleep(2 * timeOf(int64(s.heard()-n)))
			}
		}
		s := open(t, p.client(func(c *Config) { c.Buffer = 8 * time.Second; c.StallTimeout = time.Hour }))
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
			if n++; gap.Cause != CauseSlow || gap.To-gap.From < skipAhead {
				t.Errorf("got %+v, want at least %v, because of the speed", *gap, skipAhead)
			}
			want = append(want, sound(from, samples(gap.From)-from)...)
			from = samples(gap.To)
		}
		if n < 5 || n > 30 {
			t.Errorf("got %d gaps in a minute, want one every few seconds", n)
		}
		if len(want) < samples(10*time.Second) || !bytes.HasPrefix(heard, want) {
			t.Error("the recogniser did not hear exactly what lies outside of the gaps")
		}
	})
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
			return len(s.src.ring.buf)
		}
		speak(s, 0, samples(10*time.Second))
		before := size()
		down.Store(true)
		_ = p.session(1).ws.Close()
		speak(s, samples(10*time.Second), samples(40*time.Second))
		if size() < samples(30*time.Second) {
			t.Errorf("the ring has %d bytes, want room for 30s", size())
		}
		down.Store(false)
		speak(s, samples(40*time.Second), samples(65*time.Second))
		if got := size(); got > ringKeep || before > ringKeep {
			t.Errorf("the ring has %d bytes after the replay, and had %d before, want %d at most", got, before, ringKeep)
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
