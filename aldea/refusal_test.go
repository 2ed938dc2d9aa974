package aldea

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// refusals are all ways to refuse a stream: in the answer to the handshake, or by closing early.
var refusals = []struct {
	status int
	code   int
	reason string
	slow   bool // trying again soon does not help
}{
	{status: 200, slow: true}, {status: 301, slow: true}, {status: 400, slow: true}, {status: 401, slow: true}, {status: 402},
	{status: 403, slow: true}, {status: 404, slow: true}, {status: 413, slow: true}, {status: 415, slow: true}, {status: 422, slow: true},
	{code: 1002, slow: true}, {code: 1003, slow: true}, {code: 1007, slow: true}, {code: 1008, reason: "DATA-0000", slow: true},
	{code: 1009, slow: true}, {code: 1010, slow: true}, {code: 1008, reason: "invalid api key", slow: true}, {code: 4001, reason: "key not authorized", slow: true},
}

// refuseIf makes the peer refuse handshakes for whose number f returns true.
func refuseIf(p *peer, status, code int, reason string, f func(n int) bool) {
	if status != 0 {
		p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
			if f(n) {
				return status, http.Header{"Dg-Request-Id": {"d1"}}, `{"err_code":"X","err_msg":"refused, org_secret"}`
			}
			return 0, nil, ""
		}
		return
	}
	p.serve = func(n int, s *session) {
		if !f(n) {
			s.obey()
			return
		}
		s.close(code, reason)
	}
}

func TestALoneRefusalCostsNothing(t *testing.T) {
	for _, r := range refusals {
		t.Run(fmt.Sprint(r.status, r.code, r.reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				// One attempt sends the key in two forms, and a lone close is no refusal.
				refuseIf(p, r.status, r.code, r.reason, func(n int) bool {
					return n == 1 || n == 2 && (r.status == 401 || r.status == 403 || r.code != 0)
				})
				s := open(t, p.client(nil))
				speak(s, 0, samples(4*time.Second))
				s.CloseSend()
				messages, err := collect(s)
				wantEOF(t, err)
				wantWhole(t, "the stream", messages, 4*time.Second)
				if got := troubles(messages); len(got) != 0 {
					t.Errorf("got %v, want nothing told", got)
				}
			})
		})
	}
}

func TestAStreamThatIsRefusedComesBackWhenItIsNot(t *testing.T) {
	for _, r := range refusals {
		t.Run(fmt.Sprint(r.status, r.code, r.reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				var mended atomic.Bool
				refuseIf(p, r.status, r.code, r.reason, func(int) bool { return !mended.Load() })
				client := p.client(func(c *Config) { c.StallTimeout = time.Hour })
				s := open(t, client)
				result := gather(s)
				speak(s, 0, samples(3*time.Minute))
				if h := client.Health(); h.Ready() || r.slow && h.Refused != 1 {
					t.Errorf("got %+v, want it not ready", h)
				}
				dials := s.Stats().Failures + s.Stats().Connections
				if r.slow && (dials < 10 || dials > 50) {
					t.Errorf("%d attempts in three minutes, want one or two every 7 to 15 s", dials)
				}
				mended.Store(true)
				speak(s, samples(3*time.Minute), samples(3*time.Minute+20*time.Second))
				if h := client.Health(); h.Connections != 1 {
					t.Errorf("got %+v, want a connection 20 s after it was mended", h)
				}
				hush(s, samples(5*time.Minute)) // until it has caught up
				if h := client.Health(); !h.Ready() || h.Refused != 0 {
					t.Errorf("got %+v, want it ready", h)
				}
				s.CloseSend()
				messages, err := result()
				wantEOF(t, err)
				told := troubles(messages)
				if len(told) != 3 || !strings.HasPrefix(told[0], "degraded refused") || !strings.HasPrefix(told[1], "down refused") ||
					!strings.HasPrefix(told[2], "recovered refused") {
					t.Errorf("told %v, want it degraded, down and recovered, once each", told)
				}
				// What waited for longer than the buffer is lost.
				if got := gaps(messages); len(got) != 1 || got[0].From != 0 || got[0].To < 2*time.Minute || got[0].Cause != CauseRefused {
					t.Errorf("got gaps %+v, want one up to a minute before it came back", list(got))
				}
			})
		})
	}
}

func TestARefusalIsToldAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		refuseIf(p, 404, 0, "", func(int) bool { return true })
		began := time.Now()
		s := open(t, p.client(nil))
		m, err := s.Next(t.Context())
		if d, ok := m.(*Degraded); !ok || err != nil || d.Cause != CauseRefused || time.Since(began) > time.Second {
			t.Errorf("got %+v, %v after %v, want it degraded within a second", m, err, time.Since(began))
		}
	})
}

func TestAStreamThatIsRefusedToItsEndSaysWhatIsLost(t *testing.T) {
	for _, r := range refusals {
		t.Run(fmt.Sprint(r.status, r.code, r.reason), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				refuseIf(p, r.status, r.code, r.reason, func(int) bool { return true })
				s := open(t, p.client(nil))
				speak(s, 0, samples(5*time.Second))
				ended := time.Now()
				s.CloseSend()
				messages, err := collect(s)
				var status *StatusError
				var closed *CloseError
				switch {
				case !errors.Is(err, ErrUnfinished):
					t.Errorf("got %v, want ErrUnfinished", err)
				case r.slow && r.status != 0 && (!errors.As(err, &status) || status.Status != r.status || status.RequestID != "d1"):
					t.Errorf("got %v, want the status", err)
				case r.code != 0 && (!errors.As(err, &closed) || closed.Code != r.code || closed.Reason != r.reason):
					t.Errorf("got %v, want the close code", err)
				case strings.Contains(err.Error(), "org_secret"):
					t.Errorf("the error gives the key away: %v", err)
				}
				if took := time.Since(ended); r.slow && took > time.Second {
					t.Errorf("it ended %v after its audio, want soon", took)
				}
				if got := gaps(messages); len(got) != 1 || *got[0] != (Gap{0, 5 * time.Second, CauseRefused}) {
					t.Errorf("got gaps %+v, want all of it", list(got))
				}
			})
		})
	}
}

func TestARefusalAfterALossOfTheConnectionIsOneToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var revoked atomic.Bool
		p.refuse = func(int, *http.Request) (int, http.Header, string) {
			if revoked.Load() {
				return 403, nil, ""
			}
			return 0, nil, ""
		}
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(16000)
				s.result(0, 12000, true, "first")
				revoked.Store(true)
				s.close(1012, "")
				return
			}
			s.obey()
		}
		s := open(t, p.client(func(c *Config) { c.StallTimeout = time.Hour }))
		speak(s, 0, samples(20*time.Second))
		revoked.Store(false)
		hush(s, samples(2*time.Minute))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		got := finals(messages)
		if len(got) != 2 || got[1].Start != 1500*time.Millisecond || len(gaps(messages)) != 0 {
			t.Errorf("got %+v, gaps %+v; want all from the last final on", list(got), list(gaps(messages)))
		}
		if told := troubles(messages); len(told) != 2 || !strings.HasPrefix(told[0], "degraded refused") {
			t.Errorf("told %v, want it degraded and recovered", told)
		}
	})
}

func TestManyStreamsThatAreRefusedDoNotAskAllAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var mended atomic.Bool
		refuseIf(p, 401, 0, "", func(int) bool { return !mended.Load() })
		client := p.client(func(c *Config) { c.Auth = AuthBearer })
		for range 200 {
			open(t, client).Write(sound(0, 8000))
		}
		time.Sleep(20 * time.Second)
		before := len(p.shakes())
		time.Sleep(20 * time.Second)
		if n := len(p.shakes()) - before; n > 4*20+1 {
			t.Errorf("%d attempts in 20 s, want four a second", n)
		}
		mended.Store(true)
		time.Sleep(20 * time.Second)
		if h := client.Health(); h.Connections != 200 {
			t.Errorf("got %d connections 20 s after it was mended, want all", h.Connections)
		}
	})
}

func TestAHostThatRefusedIsTriedAgainWhenTheOtherIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		var mended, down atomic.Bool
		refuseIf(one, 401, 0, "", func(int) bool { return !mended.Load() })
		down.Store(true)
		two.dial = refusing(&down)
		s := open(t, both(one, two, func(c *Config) { c.Auth = AuthBearer }))
		speak(s, 0, samples(10*time.Second))
		mended.Store(true)
		speak(s, samples(10*time.Second), samples(40*time.Second))
		if got := s.Stats(); got.Host != "one.test" || !got.Connected {
			t.Errorf("30 s after the key was mended: %+v, want a connection to the first host", got)
		}
	})
}

// picky refuses handshakes with a language other than en and es.
func picky(_ int, r *http.Request) (int, http.Header, string) {
	if !slices.Contains([]string{"en", "es"}, r.URL.Query().Get("language")) {
		return 400, nil, `{"error":"unsupported language"}`
	}
	return 0, nil, ""
}

// try adds settings to a client.
func try(t *testing.T, c *Client, s Settings) *Client {
	t.Helper()
	other, err := c.Try(s)
	if err != nil {
		t.Fatal(err)
	}
	return other
}

// everyLanguage is a client for a language that its recognizer may not have.
func everyLanguage(c *Config) { c.Languages = []string{"*"} }

func TestSettingsThatAreRefusedGiveWayToThoseBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = picky
		base := p.client(everyLanguage)
		german := try(t, base, Settings{Language: "de"})
		s := open(t, german)
		speak(s, 0, samples(3*time.Second))
		if h := base.Health(); !h.Ready() || h.Refused != 0 {
			t.Errorf("got %+v, want it ready", h)
		}
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		wantWhole(t, "the stream", messages, 3*time.Second)
		var status *StatusError
		if r, ok := messages[0].(*Refused); !ok || !errors.As(r.Err, &status) || status.Message != "unsupported language" {
			t.Errorf("got %+v first, want the refusal", messages[0])
		}
		if got := troubles(messages); len(got) != 0 {
			t.Errorf("got %v, want nothing told", got)
		}
	})
}

func TestRefusedSettingsGiveWayOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = picky
		german := try(t, p.client(everyLanguage), Settings{Language: "de"})
		s := open(t, try(t, german, Settings{Keywords: []string{"Konto"}}))
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		n := 0
		for _, m := range messages {
			if _, ok := m.(*Refused); ok {
				n++
			}
		}
		if got := p.shakes(); n != 2 || len(got) != 3 || !strings.Contains(got[1].url, "language=de") || strings.Contains(got[1].url, "Konto") {
			t.Errorf("got %d refusals and handshakes %+v, want the keywords given up, then the language", n, got)
		}
	})
}

func TestSettingsThatAreClosedTwiceGiveWayToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n <= 2 {
				s.close(1008, "unsupported language")
				return
			}
			s.obey()
		}
		s := open(t, try(t, p.client(everyLanguage), Settings{Language: "de"}))
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		wantWhole(t, "the stream", messages, time.Second)
		if _, ok := messages[0].(*Refused); !ok || !strings.Contains(p.shakes()[2].url, "language=en") {
			t.Errorf("got %+v and handshakes %+v, want the old language", messages[0], p.shakes())
		}
	})
}

func TestOnlySettingsThatMayBeTheReasonGiveWay(t *testing.T) {
	for _, status := range []int{401, 402, 404, 429, 503} {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
				if n <= 4 {
					return status, nil, ""
				}
				return 0, nil, ""
			}
			s := open(t, try(t, p.client(nil), Settings{Language: "es"}))
			speak(s, 0, samples(30*time.Second))
			for _, h := range p.shakes() {
				if !strings.Contains(h.url, "language=es") {
					t.Errorf("%d: got handshake %s, want all with the new language", status, h.url)
				}
			}
		})
	}
}

func TestSettingsThatWereTakenDoNotGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		var odd atomic.Bool
		p.refuse = func(int, *http.Request) (int, http.Header, string) {
			if odd.Load() {
				return 400, nil, ""
			}
			return 0, nil, ""
		}
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.readUntil(8000)
				s.result(0, 8000, true, "uno")
				odd.Store(true)
				s.close(1012, "")
				return
			}
			s.obey()
		}
		s := open(t, try(t, p.client(nil), Settings{Language: "es"}))
		speak(s, 0, samples(5*time.Second))
		odd.Store(false)
		speak(s, samples(5*time.Second), samples(25*time.Second))
		if got := s.Stats(); !got.Connected {
			t.Errorf("got %+v, want it connected again", got)
		}
		for _, h := range p.shakes() {
			if !strings.Contains(h.url, "language=es") {
				t.Errorf("got handshake %s, want all with the language that was taken", h.url)
			}
		}
	})
}

func TestLogsOfRefusalsDoNotRepeatWhatTheServerSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		refuseIf(p, 400, 0, "", func(int) bool { return true })
		var log strings.Builder
		s := open(t, p.client(func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		}))
		speak(s, 0, samples(3*time.Second))
		s.CloseSend()
		if _, err := s.Next(context.Background()); err != nil {
			t.Fatal(err)
		}
		_, _ = collect(s)
		if got := log.String(); strings.Contains(got, "org_secret") || !strings.Contains(got, "400 Bad Request") {
			t.Errorf("got log\n%s\nwant the status without the key", got)
		}
	})
}
