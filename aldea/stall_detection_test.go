package aldea

import (
	"bytes"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
