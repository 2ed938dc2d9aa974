package call

import (
	"context"
	"log/slog"
	"sync"
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
	// retryAppend is the pause before an event that the journal refused is offered again.
	retryAppend = 500 * time.Millisecond
	// lastTries is how long a journal that takes nothing can hold up the end of a call.
	lastTries = 10 * time.Second
)

// A queue carries a call's events to the journal and the observer, in one order. A goroutine runs only while
// something waits.
type queue struct {
	journal Journal
	observe func(events.Event)
	logger  *slog.Logger
	ctx     context.Context // ends when the queue gives up on its journal
	giveUp  context.CancelFunc

	mu      sync.Mutex
	idle    *sync.Cond // signalled when running turns false
	waiting []events.Event
	running bool // a goroutine is in run
	dropped int
	lines   []events.Line // every utterance so far, those of earlier streams too
	digits  int
}

func newQueue(journal Journal, observe func(events.Event), logger *slog.Logger) *queue {
	if observe == nil {
		observe = func(events.Event) {}
	}
	q := &queue{journal: journal, observe: observe, logger: logger}
	q.ctx, q.giveUp = context.WithCancel(context.Background())
	q.idle = sync.NewCond(&q.mu)
	return q
}

// put adds an event that happened on a stream of the call at now. It never waits.
func (q *queue) put(now time.Time, call events.Call, body events.Body) {
	q.mu.Lock()
	defer q.mu.Unlock()
	_, last := body.(events.CallEnded)
	if n := len(q.waiting); n >= maxWaiting && !last || n >= maxLive && !body.Stored() {
		if !body.Stored() {
			q.dropped++
		} else {
			q.logger.Error("event lost: the journal takes nothing and the queue is full", "type", body.Type())
		}
		return
	}
	switch b := body.(type) {
	case events.UtteranceFinal:
		u := &b.Utterance
		u.Index = len(q.lines) + 1
		if u.Words == nil {
			u.Words = []events.Word{} // [] in JSON, not null
		}
		q.lines = append(q.lines, events.Line{Utterance: u.ID, Speaker: u.Speaker, Text: u.Text, Start: u.Start, End: u.End})
		body = b
	case events.DTMFReceived:
		q.digits++
	}
	q.waiting = append(q.waiting, events.Event{Time: now, Call: call, Body: body})
	if !q.running {
		q.running = true
		go q.run()
	}
}

// run stores and shows what waits, then ends.
func (q *queue) run() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for len(q.waiting) > 0 {
		e := q.waiting[0]
		q.mu.Unlock()
		e, ok := q.store(e)
		if ok {
			q.observe(e)
		}
		q.mu.Lock()
		q.waiting[0] = events.Event{}
		q.waiting = q.waiting[1:]
	}
	q.waiting = nil
	q.running = false
	q.idle.Broadcast()
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
			q.logger.Error("event lost: the journal does not take it", "type", e.Body.Type(), "id", e.ID, "err", err)
			return e, false
		}
	}
}

// close returns when nothing waits. A journal that takes nothing is given up on after lastTries.
func (q *queue) close() {
	defer time.AfterFunc(lastTries, q.giveUp).Stop()
	q.mu.Lock()
	defer q.mu.Unlock()
	for q.running {
		q.idle.Wait()
	}
	if q.dropped > 0 {
		q.logger.Warn("events not shown: the queue was full", "dropped", q.dropped)
	}
	q.giveUp()
}

// said returns a line for each utterance so far. It is never nil.
func (q *queue) said() []events.Line {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]events.Line{}, q.lines...)
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
	return len(q.lines)
}
