package webhooks

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/webhooks/webhooktest"
)

// observed collects attempts.
type observed struct {
	mu       sync.Mutex
	attempts []Attempt
}

func (o *observed) see(a Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts = append(o.attempts, a)
}

func (o *observed) seen() []Attempt {
	o.mu.Lock()
	defer o.mu.Unlock()
	return append([]Attempt(nil), o.attempts...)
}

func TestFaultyAnswersAreClassified(t *testing.T) {
	big := strings.Repeat("x", maxAnswer+1)
	for _, c := range []struct {
		name     string
		answer   webhooktest.Answer
		status   int
		class    Class
		state    string
		after    time.Duration // latency of the attempt
		answer2k int           // bytes kept
	}{
		{"a plain 200", webhooktest.OK(), 200, "", StateDelivered, 0, 0},
		{"a body", webhooktest.JSON(`{"actions":[]}`), 200, "", StateDelivered, 0, 14},
		{"a huge body", webhooktest.JSON(big), 200, "", StateDelivered, 0, keptAnswer},
		{"an endless body", webhooktest.Fail(webhooktest.Endless), 200, "", StateDelivered, 0, keptAnswer},
		{"half a body", webhooktest.Fail(webhooktest.Half), 200, "", StateDelivered, 0, 8},
		{"a body that stands still", webhooktest.Fail(webhooktest.Stall), 200, "", StateDelivered, 10 * second, 8},
		{"a failure with a body that stands still", webhooktest.Answer{Status: 500, Fault: webhooktest.Stall}, 500, "", "", 10 * second, 8},
		{"a failure without an end", webhooktest.Answer{Status: 500, Fault: webhooktest.Endless}, 500, "", "", 0, keptAnswer},
		{"silence", webhooktest.Fail(webhooktest.Silent), 0, ClassTimeout, "", 10 * second, 0},
		{"a reset", webhooktest.Fail(webhooktest.Reset), 0, ClassReset, "", 0, 0},
		{"a huge header", webhooktest.Answer{Header: http.Header{"X": {strings.Repeat("x", 128<<10)}}}, 0, ClassOther, "", 0, 0},
		{"a redirect", webhooktest.Redirect(307, "http://169.254.169.254/"), 307, ClassRedirect, "", 0, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			srv := webhooktest.NewInMemory(testSecret)
			defer srv.Close()
			srv.Script(func(webhooktest.Request) webhooktest.Answer { return c.answer })
			var o observed
			r := rigged(t, Config{
				Dial: srv.Dial, Observe: o.see,
				Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}},
			})
			defer r.stop()
			r.journal.append("A", started)
			pass(10*second + ms)
			got := o.seen()
			if len(got) == 0 {
				t.Fatalf("%s: no attempt ended", c.name)
			}
			a := got[0]
			if a.Status != c.status || a.Class != c.class || a.State != c.state || a.Latency != c.after || len(a.Answer) != c.answer2k {
				t.Errorf("%s: got status %d, class %q, state %q, latency %s, %d bytes; error %v",
					c.name, a.Status, a.Class, a.State, a.Latency, len(a.Answer), a.Err)
			}
			if (a.Err == nil) != (c.state == StateDelivered) {
				t.Errorf("%s: got error %v", c.name, a.Err)
			}
			if got := r.journal.state("main", 1); got != c.state {
				t.Errorf("%s: got state %q in the journal, want %q", c.name, got, c.state)
			}
		})
	}
}

// countingConn counts the bytes read.
type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.n.Add(int64(n))
	return n, err
}

func TestOnlyTheBeginningOfAnEndlessAnswerIsRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := webhooktest.NewInMemory(testSecret)
		defer srv.Close()
		srv.Answer(webhooktest.Fail(webhooktest.Endless))
		var read atomic.Int64
		r := rigged(t, Config{
			Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
				c, err := srv.Dial(ctx, network, address)
				return countingConn{c, &read}, err
			},
			Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}},
		})
		defer r.stop()
		r.journal.append("A", started)
		r.drain(t)
		if got := read.Load(); got < maxAnswer || got > maxAnswer+64<<10 {
			t.Errorf("got %d bytes read, want %d and what a buffer holds", got, maxAnswer)
		}
	})
}

func TestAnAnswerAfterTheTimeOutComesTooLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := webhooktest.NewInMemory(testSecret)
		defer srv.Close()
		srv.Answer(webhooktest.When(in(11*second), webhooktest.OK()))
		var o observed
		r := rigged(t, Config{
			Dial: srv.Dial, Observe: o.see,
			Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}},
		})
		defer r.stop()
		r.journal.append("A", started)
		r.drain(t)
		got := o.seen()
		if len(got) != 2 || got[0].Class != ClassTimeout || got[1].Status != 200 {
			t.Errorf("got %+v, want a time-out and a 200", got)
		}
		if err := srv.Report().Err(); err != nil {
			t.Error(err)
		}
	})
}

func TestATricklingAnswerIsCutByTheAttemptsClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := webhooktest.NewInMemory(testSecret)
		defer srv.Close()
		drip := make(chan struct{})
		srv.Answer(webhooktest.Answer{Status: 500, Body: bytes.Repeat([]byte("x"), 100), Drip: drip})
		var o observed
		r := rigged(t, Config{
			Dial: srv.Dial, Observe: o.see,
			Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}},
		})
		defer r.stop()
		r.journal.append("A", started)
		for range 9 {
			pass(second)
			drip <- struct{}{}
		}
		pass(second)
		if got := o.seen(); len(got) != 1 || got[0].Latency != 10*second || string(got[0].Answer) != "xxxxxxxxx" {
			t.Errorf("got %+v, want one attempt of 10 s and nine bytes", got)
		}
	})
}

func TestARedirectIsNamedAndNotFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := webhooktest.NewInMemory(testSecret)
		defer srv.Close()
		srv.Answer(webhooktest.Redirect(308, "https://me:hunter2@example.com/new/hook?token=hunter2"))
		var o observed
		r := rigged(t, Config{
			Dial: srv.Dial, Observe: o.see,
			Endpoints: []Endpoint{{Name: "main", URL: srv.URL + "/old", Secrets: []Secret{testSecret}}},
		})
		defer r.stop()
		r.journal.append("A", started)
		r.drain(t)
		text := o.seen()[0].Err.Error()
		for _, part := range []string{"308", "https://example.com/new/hook", "configure"} {
			if !strings.Contains(text, part) {
				t.Errorf("got %q, want it to say %q", text, part)
			}
		}
		if strings.Contains(text, "hunter2") {
			t.Errorf("got %q, with secrets of the target", text)
		}
		for _, got := range srv.Requests() {
			if got.Path != "/old" {
				t.Errorf("got a request for %s", got.Path)
			}
		}
	})
}

func TestLogsContainNeitherSecretsNorTranscripts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := webhooktest.NewInMemory() // unverified
		defer srv.Close()
		srv.Script(func(r webhooktest.Request) webhooktest.Answer {
			if user, password, _ := (&http.Request{Header: r.Header}).BasicAuth(); user != "me" || password != "hunter2" {
				t.Errorf("got user %q, password %q", user, password)
			}
			return webhooktest.Answer{Status: 400, Body: []byte("spoken words")}
		})
		var log bytes.Buffer
		r := rigged(t, Config{
			Dial:      srv.Dial,
			Logger:    slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			Endpoints: []Endpoint{{Name: "main", URL: "http://me:hunter2@endpoint.test/t0ken", Secrets: []Secret{testSecret}}},
		})
		r.journal.append("A", started)
		r.drain(t)
		r.stop()
		text := log.String()
		for _, leak := range []string{"hunter2", "whsec", "YnJpZGdl", "words", "t0ken", "sequence\":", "aHVudGVyMg"} {
			if strings.Contains(text, leak) {
				t.Errorf("the log shows %q:\n%s", leak, text)
			}
		}
		want := `level=ERROR msg="webhook dead letter" endpoint=main event_id=evt_00000000000000000000000001 call_sid=A`
		if !strings.Contains(text, want) || !strings.Contains(text, "reason=rejected") {
			t.Errorf("got log\n%s\nwant a line with %s and the reason", text, want)
		}
	})
}

func TestAnEndpointThatIsDownDoesNotFloodTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := rigged(t, Config{Transport: newTransportOf(always(500)), Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for _, call := range []string{"A", "B", "C", "D", "E"} {
			r.journal.append(call, started)
		}
		pass(59 * second)
		r.stop()
		if n := strings.Count(log.String(), "webhook attempt failed"); n != 6 {
			t.Errorf("got %d lines in 59 s, want one in 10 s:\n%s", n, log.String())
		}
	})
}

func TestActionsGetTheAnswersOfLiveCallsOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := webhooktest.NewInMemory(testSecret)
		defer srv.Close()
		srv.Script(func(r webhooktest.Request) webhooktest.Answer {
			switch r.Sequence {
			case 1:
				return webhooktest.OK() // no body
			case 2:
				return webhooktest.JSON(`{"actions":[]}`)
			case 3:
				return webhooktest.JSON(strings.Repeat(" ", maxAnswer+1))
			}
			return webhooktest.JSON(`{"too":"late"}`)
		})
		var replies []string
		r := rigged(t, Config{
			Dial:      srv.Dial,
			Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}},
			Actions: func(r Reply) {
				text := string(r.Body)
				if r.Err != nil {
					text = r.Err.Error()
				}
				replies = append(replies, text)
			},
		})
		defer r.stop()
		for range 3 {
			r.journal.append("A", said)
		}
		r.drain(t)
		r.journal.append("A", ended)
		r.drain(t)
		if got, want := strings.Join(replies, "|"), `{"actions":[]}|`+ErrAnswerTooLong.Error(); got != want {
			t.Errorf("got replies %s, want %s", got, want)
		}
		for _, got := range srv.Requests() {
			want := "1"
			if got.Sequence == 4 {
				want = "0"
			}
			if live := got.Header.Get("bridge-live"); live != want {
				t.Errorf("event %d: got bridge-live %s, want %s", got.Sequence, live, want)
			}
		}
	})
}
