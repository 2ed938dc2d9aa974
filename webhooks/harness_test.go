package webhooks

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/events"
)

const (
	started = events.TypeCallStarted
	said    = events.TypeUtteranceFinal
	ended   = events.TypeCallEnded
)

// A shot is one request as a scripted transport saw it.
type shot struct {
	at      time.Duration // since the transport was made
	call    string
	n       int64 // sequence
	attempt string
}

// A reply is the answer of a scripted transport.
type reply struct {
	status int
	header http.Header
	body   string
	err    error
	after  time.Duration // in the bubble's time
}

// A transport answers requests by script and records when they came.
type transport struct {
	began  time.Time
	script func(shot) reply

	mu    sync.Mutex
	shots []shot
}

func newTransportOf(script func(shot) reply) *transport {
	return &transport{began: time.Now(), script: script}
}

// always is a script.
func always(status int) func(shot) reply {
	return func(shot) reply { return reply{status: status} }
}

func (tr *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var e events.Event
	// The bodies of these tests have only what all events have.
	if err := e.UnmarshalJSON(body); err != nil && !errors.Is(err, events.ErrUnknownType) {
		return nil, err
	}
	s := shot{at: time.Since(tr.began), call: e.Call.ID, n: e.Sequence, attempt: req.Header.Get("bridge-attempt")}
	tr.mu.Lock()
	tr.shots = append(tr.shots, s)
	tr.mu.Unlock()
	r := tr.script(s)
	if r.after > 0 {
		select {
		case <-time.After(r.after):
		case <-req.Context().Done():
			return nil, req.Context().Err()
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	header := r.header
	if header == nil {
		header = http.Header{}
	}
	return &http.Response{StatusCode: r.status, Header: header, Body: io.NopCloser(strings.NewReader(r.body)), Request: req}, nil
}

// seen returns the shots so far.
func (tr *transport) seen() []shot {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.shots)
}

// times returns when the shots came.
func (tr *transport) times() []time.Duration {
	var at []time.Duration
	for _, s := range tr.seen() {
		at = append(at, s.at)
	}
	return at
}

// order returns the shots as "call/sequence" joined by spaces.
func (tr *transport) order() string {
	var out []string
	for _, s := range tr.seen() {
		out = append(out, s.call+"/"+strconv.FormatInt(s.n, 10))
	}
	return strings.Join(out, " ")
}

// pass advances the bubble's time by d and waits until all goroutines are idle.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func exactly() float64 { return 1 }

// A rig is a running dispatcher in a bubble.
type rig struct {
	journal *fakeJournal
	d       *Dispatcher
	stop    func()
}

// rigged starts a dispatcher with one endpoint, "main", unless c has some. It is stopped at the test's end.
func rigged(t *testing.T, c Config) *rig {
	t.Helper()
	r := &rig{journal: newFakeJournal()}
	c.Journal = r.journal
	if c.Jitter == nil {
		c.Jitter = exactly
	}
	if c.Endpoints == nil {
		c.Endpoints = []Endpoint{{Name: "main", URL: "http://endpoint.test", Secrets: []Secret{testSecret}}}
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.d = d
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := d.Run(ctx); err != nil {
			t.Errorf("Run: %v", err)
		}
	}()
	r.stop = func() { cancel(); <-done }
	t.Cleanup(r.stop)
	return r
}

// drain waits until all events are settled, for at most 100 hours.
func (r *rig) drain(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Hour)
	defer cancel()
	if err := r.d.Drain(ctx); err != nil {
		t.Fatal(err)
	}
}

// wantStates checks the settled states at main of the events at positions 1, 2, 3….
func (r *rig) wantStates(t *testing.T, want ...string) {
	t.Helper()
	for i, state := range want {
		if got := r.journal.state("main", int64(i+1)); got != state {
			t.Errorf("event %d: got state %q, want %q", i+1, got, state)
		}
	}
}

// wantTimes checks when requests were made.
func wantTimes(t *testing.T, got []time.Duration, want ...time.Duration) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got requests at %v\nwant                %v", got, want)
	}
}

// sums returns the times reached by adding delays to start, which is not among them.
func sums(start time.Duration, delays ...time.Duration) []time.Duration {
	var at []time.Duration
	for _, d := range delays {
		start += d
		at = append(at, start)
	}
	return at
}

// running runs d and returns a function that stops it.
func running(t *testing.T, d *Dispatcher) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- d.Run(ctx) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	}
}

// guard returns a context that ends if the test hangs.
func guard(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// nullLog discards the log of servers whose peers fail on purpose.
func nullLog() *log.Logger { return log.New(io.Discard, "", 0) }
