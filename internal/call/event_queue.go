package call

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"aldeabridge/events"
)

const (
	// maxTransient is the number of waiting events from which transient ones are dropped: a client that is a hundred
	// interim results behind has no use for them.
	maxTransient = 100
	// maxWaiting is the most events of one call that may wait while the journal fails: hours of speech. It applies to all
	// events except call.ended.
	maxWaiting = 10_000
	// maxKeysWaiting is the number of waiting events from which keys are dropped. The rest is reserved for speech.
	maxKeysWaiting = 9_500
	// retryAppend is the pause before an append that failed is retried.
	retryAppend = 500 * time.Millisecond
	// closeTimeout is how long a failing journal can delay the end of a call. After that the events keep waiting.
	closeTimeout = 10 * time.Second
	// maxBacklog is the most events of all calls that may keep waiting after the end of their call.
	maxBacklog = 100_000
)

// eventQueue passes a call's events to the journal and the observer, in order. Its goroutine runs only while events wait.
type eventQueue struct {
	journal Journal
	observe func(events.Event)
	backlog *backlog
	logger  *slog.Logger
	ctx     context.Context // canceled when the waiting events are abandoned
	abandon context.CancelFunc

	mu      sync.Mutex
	idle    *sync.Cond // signaled when running turns false
	waiting []events.Event
	running bool // a goroutine is in run
	late    bool // it still runs after close has returned
	dropped int
	lines   packedLines // every utterance so far, also of earlier streams
	digits  int         // keys so far
}

func newEventQueue(c Config, b *backlog, logger *slog.Logger) *eventQueue {
	q := &eventQueue{journal: c.Journal, observe: c.Observe, backlog: b, logger: logger}
	if q.observe == nil {
		q.observe = func(events.Event) {}
	}
	q.ctx, q.abandon = context.WithCancel(b.ctx)
	q.idle = sync.NewCond(&q.mu)
	return q
}

// put appends an event that happened on a stream of the call at now. It never blocks.
func (q *eventQueue) put(now time.Time, call events.Call, body events.Body) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= maxBefore(body) {
		if !body.Stored() {
			q.dropped++
		} else {
			q.backlog.lost.Add(1)
			q.logger.Error("event lost: the journal takes nothing and the queue is full", "type", body.Type())
		}
		return
	}
	switch b := body.(type) {
	case events.UtteranceFinal:
		u := &b.Utterance
		u.Index = q.lines.len() + 1
		if u.Words == nil {
			u.Words = []events.Word{} // [] in JSON, not null
		}
		q.lines.add(events.Line{Utterance: u.ID, Speaker: u.Speaker, Text: u.Text, Start: u.Start, End: u.End})
		body = b
	case events.DTMFReceived:
		q.digits++
	}
	q.waiting = append(q.waiting, events.Event{Time: now, Call: call, Body: body})
	q.backlog.add(1)
	if !q.running {
		q.running = true
		go q.run()
	}
}

// maxBefore returns the number of waiting events from which an event of this type is dropped.
func maxBefore(body events.Body) int {
	switch body.(type) {
	case events.CallEnded:
		return math.MaxInt
	case events.DTMFReceived:
		return maxKeysWaiting
	}
	if !body.Stored() {
		return maxTransient
	}
	return maxWaiting
}

// run stores and publishes the waiting events, then ends.
func (q *eventQueue) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		e := q.waiting[0]
		q.mu.Unlock()
		q.deliver(e)
		q.mu.Lock()
		q.waiting[0] = events.Event{}
		q.waiting = q.waiting[1:]
		q.backlog.add(-1)
	}
	if q.late {
		q.abandon() // releases the context
	}
	q.waiting = nil
	q.running = false
	q.idle.Broadcast()
}

// deliver stores and publishes one event. After a panic only this event is lost.
func (q *eventQueue) deliver(e events.Event) {
	defer func() {
		if p := recover(); p != nil {
			q.backlog.lost.Add(1)
			q.logger.Error("event lost: panic while it was stored or shown", "type", e.Body.Type(), "panic_type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		}
	}()
	if e, ok := q.store(e); ok {
		q.observe(e)
	}
}

// store appends an event to the journal and retries until that succeeds. It returns the event with its id and sequence, or
// false if the queue's context ended.
func (q *eventQueue) store(e events.Event) (events.Event, bool) {
	if !e.Body.Stored() {
		return e, true
	}
	e.ID = events.NewID(e.Time) // one id for all attempts: the journal deduplicates by id
	for try := 1; ; try++ {
		r, err := q.journal.Append(q.ctx, e)
		if err == nil {
			e.Sequence = r.Sequence
			return e, true
		}
		if try == 1 {
			q.logger.Error("journal refuses an event: it waits", "type", e.Body.Type(), "id", e.ID, "err", err)
		}
		select {
		case <-time.After(retryAppend):
		case <-q.ctx.Done():
			q.backlog.lost.Add(1)
			q.logger.Error("event lost: the journal does not take it", "type", e.Body.Type(), "id", e.ID, "err", err)
			return e, false
		}
	}
}

// close returns when nothing waits. If the journal takes nothing for lastTries it returns too; what waits is offered
// to the journal until it takes it or until the server stops, unless too much waits already.
func (q *eventQueue) close() {
	defer time.AfterFunc(closeTimeout, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.late = q.running; q.late && q.backlog.size() > maxBacklog {
			q.abandon()
		}
		q.idle.Broadcast()
	}).Stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.running && !q.late {
		q.idle.Wait()
	}
	if q.dropped > 0 {
		q.logger.Warn("events not shown: the queue was full", "dropped", q.dropped)
	}
	if !q.late {
		q.abandon() // releases the context
	} else {
		q.logger.Error("the call is over, and the journal does not take its events: they wait", "waiting", len(q.waiting))
	}
}

// backlog counts the events of all calls that wait for the journal. It is safe for concurrent use.
type backlog struct {
	ctx     context.Context // canceled when the server abandons the waiting events
	abandon context.CancelFunc
	lost    atomic.Int64 // events that were never stored

	mu     sync.Mutex // guards events
	events int
	empty  *sync.Cond // signaled when events turns 0
}

func newBacklog() *backlog {
	b := &backlog{}
	b.ctx, b.abandon = context.WithCancel(context.Background())
	b.empty = sync.NewCond(&b.mu)
	return b
}

func (b *backlog) add(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.events += n; b.events == 0 {
		b.empty.Broadcast()
	}
}

func (b *backlog) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.events
}

// drain returns when no event waits. When ctx ends, the waiting events are lost.
func (b *backlog) drain(ctx context.Context) {
	defer context.AfterFunc(ctx, b.abandon)()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.events > 0 {
		b.empty.Wait()
	}
}

// transcript returns a line for each utterance so far. It never returns nil.
func (q *eventQueue) transcript() []events.Line {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines.unpacked()
}

// keyCount returns the number of keys so far.
func (q *eventQueue) keyCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.digits
}

// utteranceCount returns the number of utterances that have ended.
func (q *eventQueue) utteranceCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines.len()
}
