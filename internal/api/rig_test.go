package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/api/types"
)

// guardTime is how long a test waits for what must happen before it fails.
const guardTime = 60 * time.Second

// A rig is an API over a real socket.
type rig struct {
	api     *API
	app     *fiber.App
	journal *fakeJournal
	url     string
	log     *lockedBuffer
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// newRig starts one without tokens. change may be nil.
func newRig(t testing.TB, change func(*Config)) *rig {
	t.Helper()
	r := &rig{journal: newFakeJournal(), log: &lockedBuffer{}}
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	c := Config{Journal: r.journal, Actor: &fakeActor{}, Guard: NewGuard(nil, true, logger), Logger: logger}
	if change != nil {
		change(&c)
	}
	r.api = New(c)
	r.app = fiber.New(fiber.Config{DisableStartupMessage: true, ReadTimeout: time.Second, WriteTimeout: time.Second})
	r.api.Register(r.app)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r.url = "http://" + l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- r.app.Listener(l) }()
	t.Cleanup(func() {
		r.api.Close()
		http.DefaultClient.CloseIdleConnections()
		if err := r.app.ShutdownWithTimeout(guardTime); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	r.ask(t, "GET", "/", "") // a server that does not serve yet does not hear that it is to shut down
	return r
}

// An answered is the answer to a request.
type answered struct {
	status int
	header http.Header
	body   string
}

// ask makes a request. Headers are "Name: value".
func (r *rig) ask(t testing.TB, method, path, body string, headers ...string) answered {
	t.Helper()
	request, err := http.NewRequest(method, r.url+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		if name == "Host" {
			request.Host = value
		}
		request.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return answered{resp.StatusCode, resp.Header, string(got)}
}

// problem checks that an answer is a problem with this status whose detail holds text.
func (a answered) problem(t testing.TB, status int, text string) {
	t.Helper()
	var p types.Problem
	if err := json.Unmarshal([]byte(a.body), &p); err != nil {
		t.Fatalf("got %q: %v", a.body, err)
	}
	if a.status != status || p.Status != status || p.Title == "" || a.header.Get("Content-Type") != "application/problem+json" || !strings.Contains(p.Detail, text) {
		t.Errorf("got %d %s %s, want the problem %d with %q", a.status, a.header.Get("Content-Type"), a.body, status, text)
	}
}

// A message is one of an event stream.
type message struct{ id, event, data string }

// A follower reads an event stream.
type follower struct {
	t      testing.TB
	resp   *http.Response
	lines  *bufio.Scanner
	cancel context.CancelFunc
}

// follow opens an event stream. The follower must be left.
func (r *rig) follow(t testing.TB, path, lastID string) *follower {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), guardTime)
	request, err := http.NewRequestWithContext(ctx, "GET", r.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if lastID != "" {
		request.Header.Set("Last-Event-ID", lastID)
	}
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(request) //nolint:bodyclose // leave closes it
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	f := &follower{t: t, resp: resp, lines: bufio.NewScanner(resp.Body), cancel: cancel}
	f.lines.Buffer(nil, 8<<20)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		f.leave()
		t.Fatalf("got %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	return f
}

// next returns the next message; comments and retry are skipped. It returns false at the end.
func (f *follower) next() (m message, ok bool) {
	for f.lines.Scan() {
		name, value, _ := strings.Cut(f.lines.Text(), ": ")
		switch name {
		case "id":
			m.id = value
		case "event":
			m.event = value
		case "data":
			m.data = value
		case "":
			if m.event != "" {
				return m, true
			}
		}
	}
	return m, false
}

// want returns the next n messages as "id event".
func (f *follower) want(n int) (got []string) {
	f.t.Helper()
	for range n {
		m, ok := f.next()
		if !ok {
			f.t.Fatalf("the stream ended after %v: %v", got, f.lines.Err())
		}
		got = append(got, strings.TrimSpace(fmt.Sprint(m.id, " ", m.event)))
	}
	return got
}

func (f *follower) leave() {
	f.cancel()
	f.resp.Body.Close()
}
