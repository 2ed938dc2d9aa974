package webhooktest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// guard is a context that ends when a test has hung.
func guard(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// body is the JSON of an event.
func body(call string, sequence int) string {
	return fmt.Sprintf(`{"type":"t","timestamp":"2026-01-02T03:04:05.678Z","data":{"call":{"id":%q},"sequence":%d}}`, call, sequence)
}

// post sends a well-formed request without a signature.
func post(t *testing.T, client *http.Client, url, id, body string) (*http.Response, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(guard(t), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Idempotency-Key": {id}, "Bridge-Attempt": {"1"},
	}
	return client.Do(req)
}

// dialing is a client that reaches only srv and keeps no connection.
func dialing(srv *Server) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{DialContext: srv.Dial, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func TestAnswersComeInTheirOrderAndThenByScript(t *testing.T) {
	srv := New()
	defer srv.Close()
	srv.Script(func(r Request) Answer { return Status(500 + int(r.Sequence)) })
	srv.Answer(OK(), Redirect(302, "/x"), RetryAfter(503, "7"), JSON(`{"a":1}`))
	for i, want := range []struct {
		status        int
		header, value string
		body          string
	}{
		{200, "", "", ""}, {302, "Location", "/x", ""}, {503, "Retry-After", "7", ""},
		{200, "Content-Type", "application/json", `{"a":1}`}, {505, "", "", ""}, {506, "", "", ""},
	} {
		resp, err := post(t, dialing(srv), srv.URL, fmt.Sprint("e", i), body("A", i+1))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || resp.StatusCode != want.status || resp.Header.Get(want.header) != want.value || string(got) != want.body {
			t.Errorf("answer %d: got %d %v %q, %v; want %+v", i+1, resp.StatusCode, resp.Header, got, err, want)
		}
	}
	if got := srv.Delivered(); len(got) != 2 || got[1].Sequence != 4 {
		t.Errorf("got %+v delivered, want the first and the fourth", got)
	}
}

func TestFaultsReachTheSender(t *testing.T) {
	srv := New()
	defer srv.Close()
	for _, c := range []struct {
		fault  Fault
		read   int64 // bytes of the body asked for
		status int
		err    bool // of reading so much
	}{
		{Reset, 0, 0, true},
		{Half, 17, 200, true},
		{Endless, 1 << 20, 200, false},
	} {
		srv.Answer(Fail(c.fault))
		resp, err := post(t, dialing(srv), srv.URL, "e1", body("A", 1))
		if err != nil {
			if c.status != 0 || !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
				t.Errorf("fault %d: got %v", c.fault, err)
			}
			continue
		}
		if _, err := io.CopyN(io.Discard, resp.Body, c.read); resp.StatusCode != c.status || (err != nil) != c.err {
			t.Errorf("fault %d: got %d and %v", c.fault, resp.StatusCode, err)
		}
		resp.Body.Close()
	}
}

func TestAnswersAreHeldBackUntilTheirChannelSaysSo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := NewInMemory()
		defer srv.Close()
		after := make(chan struct{})
		srv.Answer(When(after, Status(202)))
		answered := make(chan int, 1)
		go func() {
			resp, err := post(t, dialing(srv), srv.URL, "e1", body("A", 1))
			if err != nil {
				t.Error(err)
				answered <- 0
				return
			}
			resp.Body.Close()
			answered <- resp.StatusCode
		}()
		if err := srv.Wait(guard(t), func(got []Request) bool { return len(got) == 1 }); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := srv.Requests()[0]; got.Done || len(answered) > 0 {
			t.Errorf("got %+v, want no answer yet", got)
		}
		close(after)
		if got := <-answered; got != 202 {
			t.Errorf("got %d, want 202", got)
		}
		if got := srv.Requests()[0]; !got.Done || got.Status != 202 {
			t.Errorf("got %+v, want it done", got)
		}
	})
}

func TestABodyDripsByteByByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		srv := NewInMemory()
		defer srv.Close()
		drip := make(chan struct{})
		srv.Answer(Answer{Body: []byte("abcdef"), Drip: drip})
		resp, err := post(t, dialing(srv), srv.URL, "e1", body("A", 1))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		var one [1]byte
		for _, want := range "ab" {
			drip <- struct{}{}
			if _, err := io.ReadFull(resp.Body, one[:]); err != nil || rune(one[0]) != want {
				t.Fatalf("got %q, %v; want %q", one, err, want)
			}
		}
		close(drip)
		if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "cdef" {
			t.Errorf("got %q, %v; want the rest", rest, err)
		}
	})
}

func TestAnEndpointThatIsDownSeesNothing(t *testing.T) {
	for name, srv := range map[string]*Server{"socket": New(), "memory": NewInMemory()} {
		client := &http.Client{Transport: &http.Transport{DialContext: srv.Dial}}
		try := func() error {
			resp, err := post(t, client, srv.URL, "e1", body("A", 1))
			if err == nil {
				resp.Body.Close()
			}
			return err
		}
		if err := try(); err != nil {
			t.Errorf("%s, up: %v", name, err)
		}
		srv.Down()
		if err := try(); err == nil {
			t.Errorf("%s, down: got an answer", name)
		}
		srv.Up()
		if err := try(); err != nil {
			t.Errorf("%s, up again: %v", name, err)
		}
		if got := srv.Report(); got.Requests != 2 || got.Repeats != 1 {
			t.Errorf("%s: got %+v, want two requests", name, got)
		}
		client.CloseIdleConnections()
		srv.Close()
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	e := NewEndpoint()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := e.Wait(ctx, func([]Request) bool { return false }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestProblemsAreNoted(t *testing.T) {
	good := http.Header{
		"Content-Type": {"application/json"}, "Webhook-Id": {"e1"}, "Idempotency-Key": {"e1"}, "Bridge-Attempt": {"1"},
	}
	for _, c := range []struct {
		method, name, value, body string
		want                      string // part of the only problem; empty: none
	}{
		{"POST", "X", "y", body("A", 1), ""},
		{"PUT", "X", "y", body("A", 1), "method is PUT"},
		{"POST", "Content-Type", "text/plain", body("A", 1), `content-type is "text/plain"`},
		{"POST", "Idempotency-Key", "e2", body("A", 1), "idempotency-key"},
		{"POST", "Bridge-Attempt", "0", body("A", 1), "bridge-attempt"},
		{"POST", "X", "y", "{", "not the JSON"},
		{"POST", "X", "y", "\ufeff" + body("A", 1), "byte order mark"},
		{"POST", "X", "y", body("", 1), "lacks"},
		{"POST", "X", "y", body("A", 0), "lacks"},
	} {
		e := NewEndpoint()
		req := httptest.NewRequestWithContext(guard(t), c.method, "/hook", strings.NewReader(c.body))
		req.Header = good.Clone()
		req.Header.Set(c.name, c.value)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, req)
		got := e.Requests()[0]
		if text := strings.Join(got.Problems, "; "); (text == "") != (c.want == "") || !strings.Contains(text, c.want) {
			t.Errorf("%s %s=%q %q: got problems %q, want %q", c.method, c.name, c.value, c.body, text, c.want)
		}
		if w.Code != 200 || e.Report().Malformed != min(len(got.Problems), 1) {
			t.Errorf("%s: got %d, %+v", c.want, w.Code, e.Report())
		}
	}
}

func FuzzRequest(f *testing.F) {
	f.Add("e1", "1767323045", currentEntry, body("A", 1))
	f.Add(vectorID, "1767323045", currentEntry+" "+previousEntry, vectorBody)
	f.Add("", "-1", "v1, ,", `{"data":{"call":7}}`)
	f.Fuzz(func(t *testing.T, id, stamp, signature, body string) {
		e := NewEndpoint(currentSecret)
		req := httptest.NewRequestWithContext(context.Background(), http.MethodPost, "/", strings.NewReader(body))
		req.Header = http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}
		w := httptest.NewRecorder()
		e.ServeHTTP(w, req)
		if got := e.Requests(); len(got) != 1 || !got[0].Done || got[0].Verified != (w.Code == 200) {
			t.Fatalf("got %+v after %d", got, w.Code)
		}
	})
}
