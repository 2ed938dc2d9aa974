package sandbox_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// refused dials and returns the error, nil if there is a stream.
func refused(srv *sandbox.Server, patience time.Duration) error {
	d := websocket.Dialer{NetDialContext: srv.Dial, HandshakeTimeout: patience}
	conn, resp, err := d.Dial(srv.URL+"/v1/listen", key("org_a"))
	if resp != nil {
		resp.Body.Close()
	}
	if conn != nil {
		conn.Close()
	}
	return err
}

func TestHandshakesAreRefusedAsPlanned(t *testing.T) {
	for _, f := range []sandbox.Fault{
		{Status: 401}, {Status: 403}, {Status: 429, RetryAfter: 2 * time.Second}, {Status: 500}, {Status: 503, RetryAfter: 1500 * time.Millisecond}, {Status: 503},
	} {
		bubble(t, sandbox.Options{Plan: []sandbox.Fault{f}}, func(t *testing.T, srv *sandbox.Server) {
			_, resp, err := try(srv, "/v1/listen", "", key("org_a"))
			text := body(resp)
			if err == nil || resp.StatusCode != f.Status || !strings.HasPrefix(text, `{"error":"`+http.StatusText(f.Status)) {
				t.Errorf("%v: got %v, %v, %s", f, err, resp.StatusCode, text)
			}
			want := ""
			if f.RetryAfter > 0 {
				want = "2"
			}
			if got := resp.Header.Get("Retry-After"); got != want {
				t.Errorf("%v: got Retry-After %q, want %q", f, got, want)
			}
			if c := srv.Connections()[0]; c.Status != f.Status || c.Fault != f {
				t.Errorf("%v: inspection shows %d, %v", f, c.Status, c.Fault)
			}
			dial(t, srv, "").conn.Close() // the next one is healthy
		})
	}
}

func TestAHandshakeHangsUntilTheClientLeaves(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{Hang: true}}, func(t *testing.T, srv *sandbox.Server) {
		begin := time.Now()
		err := refused(srv, 10*time.Second)
		if took := time.Since(begin); err == nil || took != 10*time.Second {
			t.Errorf("got %v after %v, want the client's own time-out of 10 s", err, took)
		}
		synctest.Wait()
		if c := srv.Connections()[0]; c.Status != 0 || c.Err == "" {
			t.Errorf("got status %d, %q; want none", c.Status, c.Err)
		}
	})
}

func TestHealingAnswersHandshakesThatHang(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{Hang: true, Status: 0, DropAfter: time.Second}}, func(t *testing.T, srv *sandbox.Server) {
		begin := time.Now()
		time.AfterFunc(5*time.Second, srv.Heal)
		if got := utterances(converse(t, srv, "", 4*time.Second)); len(got) != 2 || time.Since(begin) != 5*time.Second {
			t.Errorf("got %q after %v, want a healthy stream after 5 s", got, time.Since(begin))
		}
	})
}

func TestClosingEndsHandshakesThatHang(t *testing.T) {
	for _, f := range []sandbox.Fault{{Hang: true}, {HandshakeDelay: time.Hour}} {
		bubble(t, sandbox.Options{Fault: f}, func(t *testing.T, srv *sandbox.Server) {
			time.AfterFunc(time.Second, func() { _ = srv.Close() })
			if refused(srv, guard) == nil {
				t.Errorf("%v: got a stream from a server that closed", f)
			}
		})
	}
}

func TestAHandshakeIsResetOverTCP(t *testing.T) {
	srv := serve(t, sandbox.Options{Plan: []sandbox.Fault{{Reset: true}}})
	err := refused(srv, guard)
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("got %v, want a reset", err)
	}
	if c := srv.Connections()[0]; c.Status != 0 || !c.Fault.Reset {
		t.Errorf("got status %d, fault %v; want 0 and the reset", c.Status, c.Fault)
	}
	dial(t, srv, "").bye()
}

func TestAHandshakeIsCutInMemory(t *testing.T) {
	bubble(t, sandbox.Options{Plan: []sandbox.Fault{{Reset: true}}}, func(t *testing.T, srv *sandbox.Server) {
		if refused(srv, guard) == nil {
			t.Error("got a stream, want a cut")
		}
		dial(t, srv, "").conn.Close()
	})
}

func TestASubprotocolComesThatNobodyOffered(t *testing.T) {
	bubble(t, sandbox.Options{Fault: sandbox.Fault{WrongSubprotocol: true}}, func(t *testing.T, srv *sandbox.Server) {
		conn, resp, err := try(srv, "/v1/listen", "", http.Header{"Sec-WebSocket-Protocol": {"token, org_a"}})
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		defer conn.Close()
		if got := resp.Header.Get("Sec-WebSocket-Protocol"); got == "" || got == "token" {
			t.Errorf("got subprotocol %q, want another", got)
		}
	})
}

func TestNextDealsAfterThePlan(t *testing.T) {
	var asked []int
	opts := sandbox.Options{
		Plan:  []sandbox.Fault{{Status: 500}},
		Fault: sandbox.Fault{Status: 501},
		Next: func(n int, p sandbox.Params) sandbox.Fault {
			if p.Key != "org_a" {
				t.Errorf("got key %q, want the client's", p.Key)
			}
			asked = append(asked, n)
			return sandbox.Fault{Status: 510 + n}
		},
	}
	bubble(t, opts, func(t *testing.T, srv *sandbox.Server) {
		for _, want := range []int{500, 511, 512} {
			_, refused, _ := try(srv, "/v1/listen", "sample_rate=x", key("org_a"))
			if body(refused); refused.StatusCode != 400 { // it does not count
				t.Errorf("got %d for a bad parameter, want 400", refused.StatusCode)
			}
			_, resp, _ := try(srv, "/v1/listen", "", key("org_a"))
			if body(resp); resp.StatusCode != want {
				t.Errorf("got %d, want %d", resp.StatusCode, want)
			}
		}
		srv.SetFaults(sandbox.Faults{Fault: sandbox.Fault{Status: 599}})
		_, resp, _ := try(srv, "/v1/listen", "", key("org_a"))
		if body(resp); resp.StatusCode != 599 || len(asked) != 2 {
			t.Errorf("got %d after SetFaults and %d questions, want 599 and 2", resp.StatusCode, len(asked))
		}
	})
}

func TestAnOutageRefusesEverything(t *testing.T) {
	for _, c := range []struct {
		name  string
		opts  sandbox.Options
		later func(*sandbox.Server)
	}{
		{"from the start", sandbox.Options{Outage: sandbox.Outage{For: 20 * time.Second}}, nil},
		{"from a handshake", sandbox.Options{Plan: []sandbox.Fault{{Outage: sandbox.Outage{For: 20 * time.Second}}}}, nil},
		{"later", sandbox.Options{}, func(s *sandbox.Server) {
			s.SetFaults(sandbox.Faults{Outage: sandbox.Outage{For: 20 * time.Second, Status: 503}})
		}},
	} {
		bubble(t, c.opts, func(t *testing.T, srv *sandbox.Server) {
			if c.later != nil {
				c.later(srv)
			}
			for begin := time.Now(); ; time.Sleep(time.Second) {
				conn, resp, err := try(srv, "/v1/listen", "", key("org_a"))
				if err == nil {
					resp.Body.Close()
					conn.Close()
					if took := time.Since(begin); took != 20*time.Second {
						t.Errorf("%s: recovered after %v, want 20 s", c.name, took)
					}
					return
				}
				if resp != nil {
					if body(resp); resp.StatusCode != 503 {
						t.Errorf("%s: got %d, want 503", c.name, resp.StatusCode)
					}
				} else if c.later != nil {
					t.Errorf("%s: got %v, want 503", c.name, err)
				}
				if left := srv.Faults().Outage.For; left != 20*time.Second-time.Since(begin) {
					t.Errorf("%s: got %v left after %v", c.name, left, time.Since(begin))
				}
			}
		})
	}
}

func TestAnOutageCanFollowADrop(t *testing.T) {
	plan, err := sandbox.ParseFaults("drop=1s outage=20s outage-status=503; ok")
	if err != nil {
		t.Fatal(err)
	}
	bubble(t, sandbox.Options{Plan: plan}, func(t *testing.T, srv *sandbox.Server) {
		other := func() int {
			conn, resp, _ := try(srv, "/v1/listen", "", key("org_a"))
			body(resp)
			if conn != nil {
				conn.Close()
			}
			return resp.StatusCode
		}
		c := dial(t, srv, "")
		wait := c.hearing()
		c.live(900 * time.Millisecond)
		srvPlan := srv.Faults().Plan
		if len(srvPlan) != 1 {
			t.Errorf("got %v left of the plan, want one", srvPlan)
		}
		c.silence(100 * time.Millisecond)
		if _, err := wait(); err == nil {
			t.Error("got no end")
		}
		time.Sleep(19900 * time.Millisecond)
		if got := other(); got != 503 {
			t.Errorf("got %d during the outage, want 503", got)
		}
		time.Sleep(200 * time.Millisecond)
		if got := other(); got != 101 {
			t.Errorf("got %d after the outage, want 101", got)
		}
	})
}

func TestAnOutageCanDropThoseThatRun(t *testing.T) {
	run := func(t *testing.T, srv *sandbox.Server) {
		one, two := dial(t, srv, ""), dial(t, srv, "")
		for _, c := range []*client{one, two} {
			if m, err := c.next(); err != nil || m.kind() != "Metadata" {
				t.Fatalf("got %v, %v; want Metadata", m, err)
			}
		}
		srv.SetFaults(sandbox.Faults{Outage: sandbox.Outage{For: time.Hour, Drop: true}})
		for _, c := range []*client{one, two} {
			_, err := c.next()
			var closed *websocket.CloseError
			if err == nil || errors.As(err, &closed) && closed.Code != websocket.CloseAbnormalClosure {
				t.Errorf("got %v, want a cut", err)
			}
		}
		if err := srv.WaitFor(context.Background(), func(all []sandbox.Connection) bool { return !all[0].Open && !all[1].Open }); err != nil {
			t.Fatal(err)
		}
		for _, c := range srv.Connections() {
			if c.ClosedBy != "server" || c.CloseCode != 1006 {
				t.Errorf("inspection shows close %d by %s, want 1006 by the server", c.CloseCode, c.ClosedBy)
			}
		}
		srv.Heal()
		dial(t, srv, "").conn.Close()
	}
	t.Run("in memory", func(t *testing.T) { bubble(t, sandbox.Options{}, run) })
	t.Run("over TCP", func(t *testing.T) { run(t, serve(t, sandbox.Options{})) })
}
