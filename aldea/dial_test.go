package aldea

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// refuseSubprotocol takes the key as Authorization: Bearer only.
func refuseSubprotocol(_ int, r *http.Request) (int, http.Header, string) {
	if r.Header.Get("Authorization") == "Bearer org_secret" {
		return 0, nil, ""
	}
	return 401, nil, `{"error":"no key","request_id":"r1"}`
}

func TestARefusedSubprotocolFallsBackToBearerAndIsRemembered(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = refuseSubprotocol
		client := p.client(nil)
		for range 2 {
			s := client.Open(t.Context())
			s.Write(sound(0, 480))
			time.Sleep(time.Second)
			s.CloseSend()
			_, err := collect(s)
			wantEOF(t, err)
		}
		got := p.shakes()
		if len(got) != 3 {
			t.Fatalf("got %d handshakes, want the refused one, and one for each stream", len(got))
		}
		if strings.Join(got[0].protocols, " ") != "token org_secret" || got[0].authorization != "" {
			t.Errorf("the first handshake was %+v, want the key as subprotocol only", got[0])
		}
		for _, h := range got[1:] {
			if h.authorization != "Bearer org_secret" || len(h.protocols) != 0 {
				t.Errorf("a later handshake was %+v, want bearer only", h)
			}
		}
	})
}

func TestTheFormThatWorkedIsRememberedBeforeAnyMessage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = refuseSubprotocol
		client := p.client(nil)
		open(t, client)
		synctest.Wait()
		open(t, client)
		synctest.Wait()
		if got := len(p.shakes()); got != 3 {
			t.Errorf("got %d handshakes, want the refused one, and one for each stream", got)
		}
	})
}

func TestAFormThatWorkedOnceHasNoFallBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
			if n > 1 { // the key has been revoked
				return 401, nil, ""
			}
			return 0, nil, ""
		}
		p.serve = func(_ int, s *session) { s.say(`{"type":"Metadata"}`) }
		s := open(t, p.client(nil))
		speak(s, 0, samples(5*time.Second))
		s.CloseSend()
		if _, err := collect(s); !errors.Is(err, ErrUnauthorized) {
			t.Errorf("got %v, want ErrUnauthorized", err)
		}
		for _, h := range p.shakes() {
			if len(h.protocols) == 0 {
				t.Errorf("a handshake was %+v, want the key as subprotocol in all", h)
			}
		}
	})
}

func TestAKeyRefusedInBothFormsIsUnauthorized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = func(int, *http.Request) (int, http.Header, string) {
			return 403, nil, `{"error":"key org_secret is not known","request_id":"r1"}`
		}
		s := open(t, p.client(nil))
		s.Write(sound(0, 8000))
		s.CloseSend()
		_, err := collect(s)
		if !errors.Is(err, ErrUnauthorized) || !errors.Is(err, ErrUnfinished) {
			t.Fatalf("got %v, want ErrUnauthorized at the end", err)
		}
		var status *StatusError
		if !errors.As(err, &status) || status.Status != 403 || status.RequestID != "r1" {
			t.Errorf("got %#v, want a StatusError of 403 with its request id", err)
		}
		if strings.Contains(err.Error(), "org_secret") {
			t.Errorf("the error gives the key away: %v", err)
		}
		if got := len(p.shakes()); got != 4 {
			t.Errorf("got %d handshakes, want one for each form in each of two attempts", got)
		}
	})
}

func TestAConfiguredFormOfAuthenticationHasNoFallBack(t *testing.T) {
	for _, test := range []struct {
		auth Auth
		want string
	}{{AuthBearer, "Bearer org_secret"}, {AuthToken, "Token org_secret"}} {
		t.Run(test.auth.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				p.refuse = func(int, *http.Request) (int, http.Header, string) { return 401, nil, "" }
				s := open(t, p.client(func(c *Config) { c.Auth = test.auth }))
				speak(s, 0, 8000)
				s.CloseSend()
				if _, err := collect(s); !errors.Is(err, ErrUnauthorized) {
					t.Errorf("got %v, want ErrUnauthorized", err)
				}
				for _, got := range p.shakes() {
					if got.authorization != test.want {
						t.Errorf("got handshake %+v, want all with %s", got, test.want)
					}
				}
			})
		})
	}
}

func TestAKeyRefusedAfterTheHandshakeIsTriedAsBearerToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(n int, s *session) {
			if n == 1 {
				s.close(4001, "Invalid API key")
				return
			}
			s.say(`{"type":"Metadata","request_id":"r2"}`)
			s.obey()
		}
		client := p.client(nil)
		s := open(t, client)
		speak(s, 0, 8000)
		s.CloseSend()
		_, err := collect(s)
		wantEOF(t, err)
		if got := p.shakes(); len(got) != 2 || got[1].authorization != "Bearer org_secret" {
			t.Errorf("got handshakes %+v, want the second with bearer", got)
		}
		if got := client.guard.hosts[0].auth.current(); got != AuthBearer {
			t.Errorf("the client remembers %v, want bearer", got)
		}
	})
}

func TestAKeyRefusedTwiceAfterTheHandshakeIsUnauthorized(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.serve = func(_ int, s *session) { s.close(1008, "authentication failed for org_secret") }
		s := open(t, p.client(nil))
		speak(s, 0, 8000)
		s.CloseSend()
		_, err := collect(s)
		var closed *CloseError
		if !errors.Is(err, ErrUnauthorized) || !errors.As(err, &closed) || closed.Code != 1008 {
			t.Errorf("got %v, want a CloseError of 1008 that is ErrUnauthorized", err)
		}
		if strings.Contains(err.Error(), "org_secret") {
			t.Errorf("the error gives the key away: %v", err)
		}
	})
}

func TestRetryAfterIsHonored(t *testing.T) {
	for _, status := range []int{429, 503} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
					if n == 1 {
						return status, http.Header{"Retry-After": {"7"}}, "slow down"
					}
					return 0, nil, ""
				}
				s := open(t, p.client(nil))
				speak(s, 0, samples(10*time.Second))
				s.CloseSend()
				messages, err := collect(s)
				wantEOF(t, err)
				shakes := p.shakes()
				if waited := shakes[1].at.Sub(shakes[0].at); waited < 7*time.Second || waited > 7500*time.Millisecond {
					t.Errorf("the second attempt came after %v, want 7s and some jitter", waited)
				}
				if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != 10*time.Second {
					t.Errorf("got finals %+v, want one from 0 to 10s", got)
				}
			})
		})
	}
}

func TestStatusesThatPassAreTriedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		passing := []int{402, 408, 425, 429, 500, 501, 502, 503, 504, 520}
		p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
			if n <= len(passing) {
				return passing[n-1], nil, ""
			}
			return 0, nil, ""
		}
		s := open(t, p.client(nil))
		speak(s, 0, samples(30*time.Second))
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if got := finals(messages); len(got) != 1 || got[0].End != 30*time.Second {
			t.Errorf("got finals %+v, want one up to 30s", got)
		}
		if got := s.Stats().Failures; got != int64(len(passing)) {
			t.Errorf("got %d failures, want %d", got, len(passing))
		}
	})
}

func TestAHandshakeThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = func(n int, r *http.Request) (int, http.Header, string) {
			if n == 1 {
				<-r.Context().Done() // the client has closed the socket
			}
			return 0, nil, ""
		}
		open(t, p.client(nil))
		time.Sleep(11 * time.Second)
		shakes := p.shakes()
		if len(shakes) != 2 || shakes[1].at.Sub(shakes[0].at) != 10*time.Second {
			t.Errorf("got handshakes %+v, want the second 10s after the first", shakes)
		}
	})
}

func TestTheKeyIsNeverLogged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		p.refuse = func(n int, _ *http.Request) (int, http.Header, string) {
			if n == 1 {
				return 503, nil, "busy, org_secret"
			}
			return 0, nil, ""
		}
		p.serve = func(n int, s *session) {
			s.say(`{"type":"Error","message":"org_secret is odd"}`)
			s.say(`{"type":"Results","start":"org_secret"}`)
			s.say(`{"type":"Results","org_secret`)
			if n == 1 {
				s.close(1011, "bye org_secret")
				return
			}
			s.obey()
		}
		var log strings.Builder
		client := p.client(func(c *Config) {
			c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
		})
		s := open(t, client, slog.String("call_sid", "CA1"))
		speak(s, 0, 8000)
		s.CloseSend()
		messages, err := collect(s)
		wantEOF(t, err)
		if strings.Contains(log.String(), "org_secret") {
			t.Errorf("the log gives the key away:\n%s", log.String())
		}
		for _, line := range strings.Split(strings.TrimSpace(log.String()), "\n") {
			if !strings.Contains(line, "call_sid=CA1") {
				t.Errorf("a line lacks the stream's attribute: %s", line)
			}
		}
		for _, m := range messages {
			if m, ok := m.(*ServerError); ok && strings.Contains(m.Message, "org_secret") {
				t.Errorf("a message gives the key away: %+v", m)
			}
		}
		if got := s.Stats(); got.Malformed != 2 || got.Odd != 2 {
			t.Errorf("got %d malformed messages and %d odd ones, want 2 and 2", got.Malformed, got.Odd)
		}
	})
}

func TestDialErrorsNameTheHost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		broken := errors.New("cable unplugged")
		p.dial = func(context.Context) error { return broken }
		client := p.client(nil)
		_, err := client.dial(t.Context(), client.guard.hosts[0], AuthSubprotocol)
		if !errors.Is(err, broken) || !strings.Contains(err.Error(), "localhost") {
			t.Errorf("got %v, want it to name the host and wrap the cause", err)
		}
	})
}

func TestRetryAfterIsReadAsSecondsOrDate(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	tests := map[string]time.Duration{
		"":                              0,
		"5":                             5 * time.Second,
		" 5 ":                           5 * time.Second,
		"-5":                            0,
		"999999999":                     time.Hour,
		"99999999999999999999":          0,
		"soon":                          0,
		"Wed, 04 Mar 2026 12:00:30 GMT": 30 * time.Second,
		"Wed, 04 Mar 2026 11:00:00 GMT": 0,
	}
	for value, want := range tests {
		if got := retryAfter(value, now); got != want {
			t.Errorf("%q: got %v, want %v", value, got, want)
		}
	}
}
