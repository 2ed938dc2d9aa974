package journal

import (
	"container/list"
	"math"
	"time"

	"aldeabridge/events"
)

const (
	// endedFor is how long the counter of an ended call is kept. A carrier resumes a call within seconds.
	endedFor = time.Hour
	// endedLimit bounds the counters of ended calls, whatever their age.
	endedLimit = 10_000
	// silentFor is the time without an event after which the counter of a running call is removed: its end was never
	// reported.
	silentFor = 24 * time.Hour
	// runningLimit bounds the running calls.
	runningLimit = 100_000
)

// A counter holds the sequence and the number of streams of one call.
type counter struct {
	callID   string
	sequence int64 // of the last event
	touched  time.Time
	streams  int // of the call that have not ended
}

// countStreams updates the number of the call's streams that are up. It can exceed one: a carrier that lost its
// connection reconnects while the previous stream is still drained, and the end of that stream is not the end of the
// call.
func (n *counter) countStreams(t events.Type) {
	switch t {
	case events.TypeCallStarted:
		n.streams++
	case events.TypeCallEnded:
		n.streams = max(n.streams-1, 0)
	default:
		n.streams = max(n.streams, 1) // the start event may be missing
	}
}

// calls holds the counters. Each is in one of two lists, least recently used first. A call whose counter was removed
// starts again at sequence 1.
type calls struct {
	byID           map[string]*list.Element
	running, ended *list.List

	endedLimit, runningLimit int
}

func newCalls() calls {
	return calls{byID: map[string]*list.Element{}, running: list.New(), ended: list.New(), endedLimit: endedLimit, runningLimit: runningLimit}
}

// len returns the number of counters.
func (c *calls) len() int { return len(c.byID) }

// next returns the sequence of the call's next event, or false if there are too many running calls for a new one.
func (c *calls) next(callID string, now time.Time) (sequence int64, ok bool) {
	c.prune(now)
	if e := c.byID[callID]; e != nil {
		return e.Value.(*counter).sequence + 1, true
	}
	return 1, c.running.Len() < c.runningLimit
}

// took records that the event with the sequence of next was appended. An event after the last call.ended resumes the
// call.
func (c *calls) took(r events.Record, now time.Time) {
	n := &counter{callID: r.CallID}
	if e := c.byID[r.CallID]; e != nil {
		n = e.Value.(*counter)
		c.list(n).Remove(e)
	}
	n.sequence, n.touched = r.Sequence, now
	n.countStreams(r.Type)
	c.byID[r.CallID] = c.list(n).PushBack(n)
}

// list returns the list that n belongs to.
func (c *calls) list(n *counter) *list.List {
	if n.streams == 0 {
		return c.ended
	}
	return c.running
}

// prune removes old counters, and those of ended calls beyond endedLimit. The number of running calls is limited by
// next.
func (c *calls) prune(now time.Time) {
	c.trim(c.ended, c.endedLimit, now.Add(-endedFor))
	c.trim(c.running, math.MaxInt, now.Add(-silentFor))
}

// trim removes counters from the front of l: those last used before old, and those beyond limit.
func (c *calls) trim(l *list.List, limit int, old time.Time) {
	for e := l.Front(); e != nil; e = l.Front() {
		n := e.Value.(*counter)
		if l.Len() <= limit && !n.touched.Before(old) {
			return
		}
		l.Remove(e)
		delete(c.byID, n.callID)
	}
}
