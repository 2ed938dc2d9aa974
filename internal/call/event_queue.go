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
	// maxLive is how many events may wait before those that are not stored are dropped: a display that is
	// a hundred interims behind is worth nothing.
	maxLive = 100
	// maxWaiting is how many events of one call may wait for a journal that does not take them. It is the
	// last bound, for all but call.ended: hours of talk fit.
	maxWaiting = 10_000
	// maxKeysWaiting is how many may wait before keys are not queued any more. The rest is for what is said.
	maxKeysWaiting = 9_500
	// retryAppend is the pause before an event that the journal refused is offered again.
	retryAppend = 500 * time.Millisecond
	// lastTries is how long a journal that takes nothing can hold up the end of a call. Its events go on waiting.
	lastTries = 10 * time.Second
	// maxBacklog is how many events of all calls may go on waiting behind the end of theirs.
	maxBacklog = 100_000
)

// A queue carries a call's events to the journal and the observer, in one order. A goroutine runs only while
// something waits.
type queue struct {
	journal Journal
	observe func(events.Event)
	backlog *backlog
	logger  *slog.Logger
	ctx     context.Context // ends when the queue gives up on its journal
	giveUp  context.CancelFunc

	mu      sync.Mutex
	idle    *sync.Cond // signaled when running turns false
	waiting []events.Event
	running bool // a goroutine is in run
	late    bool // it still is although the call is over
	dropped int
	lines   lines // every utterance so far, those of earlier streams too
	digits  int
}

func newQueue(c Config, b *backlog, logger *slog.Logger) *queue {
	q := &queue{journal: c.Journal, observe: c.Observe, backlog: b, logger: logger}
	if q.observe == nil {
		q.observe = func(events.Event) {}
	}
	q.ctx, q.giveUp = context.WithCancel(b.ctx)
	q.idle = sync.NewCond(&q.mu)
	return q
}

// put adds an event that happened on a stream of the call at now. It never waits.
func (q *queue) put(now time.Time, call events.Call, body events.Body) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.waiting) >= room(body) {
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

// room is how many events may wait before one of this kind is dropped.
func room(body events.Body) int {
	switch body.(type) {
	case events.CallEnded:
		return math.MaxInt
	case events.DTMFReceived:
		return maxKeysWaiting
	}
	if !body.Stored() {
		return maxLive
	}
	return maxWaiting
}

// run stores and shows what waits, then ends.
func (q *queue) run() {
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
		q.giveUp() // nothing waits any more
	}
	q.waiting = nil
	q.running = false
	q.idle.Broadcast()
}

// deliver stores and shows one event. A panic costs this event alone.
func (q *queue) deliver(e events.Event) {
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

// store appends an event to the journal, again and again until it is taken. It returns the event with its
// id and sequence, and false if it gave up.
func (q *queue) store(e events.Event) (events.Event, bool) {
	if !e.Body.Stored() {
		return e, true
	}
	e.ID = events.NewID(e.Time) // one id for every try: the journal takes an event once
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
func (q *queue) close() {
	defer time.AfterFunc(lastTries, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.late = q.running; q.late && q.backlog.size() > maxBacklog {
			q.giveUp()
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
		q.giveUp() // nothing waits
	} else {
		q.logger.Error("the call is over, and the journal does not take its events: they wait", "waiting", len(q.waiting))
	}
}

// A backlog counts the events of all calls that wait for the journal. Its methods may be called concurrently.
type backlog struct {
	ctx    context.Context // ends when the server gives up on its journal
	giveUp context.CancelFunc
	lost   atomic.Int64 // events that the journal never took

	mu     sync.Mutex // guards events
	events int
	empty  *sync.Cond // signaled when events turns 0
}

func newBacklog() *backlog {
	b := &backlog{}
	b.ctx, b.giveUp = context.WithCancel(context.Background())
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

// drain returns when nothing waits; when ctx ends, what waits is lost.
func (b *backlog) drain(ctx context.Context) {
	defer context.AfterFunc(ctx, b.giveUp)()
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.events > 0 {
		b.empty.Wait()
	}
}

// said returns a line for each utterance so far. It is never nil.
func (q *queue) said() []events.Line {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines.unpacked()
}

// pressed returns how many keys were pressed so far.
func (q *queue) pressed() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.digits
}

// count is how many utterances have ended so far.
func (q *queue) count() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.lines.len()
}
