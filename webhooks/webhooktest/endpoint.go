package webhooktest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// maxBody bounds the body of a request in bytes. Events have at most 1 MiB.
const maxBody = 2 << 20

// An Endpoint is an http.Handler that verifies and stores webhooks, checks their order and answers by script. Without
// a script it answers 200. Make it with NewEndpoint. Its methods may be called concurrently.
type Endpoint struct {
	secrets []string
	closed  chan struct{} // closed to release delayed answers
	close   func()

	mu       sync.Mutex // guards the fields below
	script   func(Request) Answer
	next     []Answer
	down     bool
	requests []*Request
	judge    judge
	changed  chan struct{} // closed and replaced at every change
}

// NewEndpoint returns an endpoint that accepts signatures by any of the secrets ("whsec_" and base64). Without
// secrets it verifies nothing. It panics if a secret is invalid.
func NewEndpoint(secrets ...string) *Endpoint {
	for _, s := range secrets {
		if _, err := decode(s); err != nil {
			panic(err)
		}
	}
	e := &Endpoint{
		secrets: slices.Clone(secrets),
		closed:  make(chan struct{}),
		judge:   judge{calls: make(map[string]*callState), events: make(map[string]*eventState)},
		changed: make(chan struct{}),
	}
	e.close = sync.OnceFunc(func() { close(e.closed) })
	return e
}

// Close releases all delayed answers, now and in the future.
func (e *Endpoint) Close() { e.close() }

// Script sets the function that returns the answer of each later request. It is called for verified requests only,
// one at a time. Nil means 200.
func (e *Endpoint) Script(f func(Request) Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.script = f
}

// Answer queues answers for the next verified requests. They precede the script.
func (e *Endpoint) Answer(answers ...Answer) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.next = append(e.next, answers...)
}

// Down makes every request from now on end in a reset, unseen and unrecorded, until Up.
func (e *Endpoint) Down() { e.setDown(true) }

// Up ends Down.
func (e *Endpoint) Up() { e.setDown(false) }

func (e *Endpoint) setDown(down bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.down = down
}

func (e *Endpoint) isDown() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.down
}

// Requests returns what arrived so far, oldest first.
func (e *Endpoint) Requests() []Request {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.snapshot()
}

// Delivered returns the requests that were answered 2xx, oldest first.
func (e *Endpoint) Delivered() []Request {
	return slices.DeleteFunc(e.Requests(), func(r Request) bool {
		return !r.Done || r.Status < 200 || r.Status > 299
	})
}

// Report is the judge's verdict so far.
func (e *Endpoint) Report() Report {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.judge.report
}

// Wait blocks until enough returns true for what arrived so far. It asks again at each arrival and each answer.
// It returns an error that wraps that of ctx when ctx ends first.
func (e *Endpoint) Wait(ctx context.Context, enough func(got []Request) bool) error {
	for {
		e.mu.Lock()
		got, changed := e.snapshot(), e.changed
		e.mu.Unlock()
		if enough(got) {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("webhooktest: %d requests, not what was waited for: %w", len(got), ctx.Err())
		}
	}
}

// snapshot copies the requests. The caller holds the lock.
func (e *Endpoint) snapshot() []Request {
	got := make([]Request, len(e.requests))
	for i, r := range e.requests {
		got[i] = *r
	}
	return got
}

// ring wakes those who wait. The caller holds the lock.
func (e *Endpoint) ring() {
	close(e.changed)
	e.changed = make(chan struct{})
}

// ServeHTTP takes one webhook.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if e.isDown() {
		reset(w)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	r := &Request{Time: time.Now(), Method: req.Method, Path: req.URL.Path, Header: req.Header.Clone(), Body: body}
	if err != nil {
		r.problem("body could not be read: " + err.Error())
	}
	answer := e.arrive(r)
	if !hold(req.Context(), e.closed, answer.After) {
		answer = Fail(Reset) // the sender has canceled the request
	}
	// Record the end first: the sender may act on the answer before write returns.
	e.finish(r, answer.status())
	answer.write(req.Context(), w, e.closed)
}

// arrive records a request and returns the answer to it.
func (e *Endpoint) arrive(r *Request) Answer {
	r.read()
	malformed := len(r.Problems) > 0
	err := Verify(r.Header, r.Body, r.Time, e.secrets...)
	r.Verified = err == nil
	forged := len(e.secrets) > 0 && !r.Verified
	if forged {
		r.problem(err.Error())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.ring()
	e.requests = append(e.requests, r)
	r.Number = len(e.requests)
	e.judge.report.Requests++
	if malformed {
		e.judge.report.Malformed++
	}
	if forged {
		e.judge.report.Unverified++
		return Status(http.StatusUnauthorized)
	}
	if r.judged = r.ID != "" && r.CallID != ""; r.judged {
		e.judge.arrived(r)
	}
	return e.choose(*r)
}

// choose returns the answer to r. The caller holds the lock.
func (e *Endpoint) choose(r Request) Answer {
	switch {
	case len(e.next) > 0:
		a := e.next[0]
		e.next = e.next[1:]
		return a
	case e.script != nil:
		return e.script(r)
	}
	return OK()
}

// finish records the end of a request.
func (e *Endpoint) finish(r *Request, status int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	defer e.ring()
	r.Done, r.Status = true, status
	if r.judged {
		e.judge.answered(r)
	}
}

// hold waits for after, and returns false if the sender cancels first.
func hold(ctx context.Context, closed, after <-chan struct{}) bool {
	if after == nil {
		return true
	}
	select {
	case <-after:
		return true
	case <-closed:
		return true
	case <-ctx.Done():
		return false
	}
}
