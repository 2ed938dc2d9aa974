package journal

import (
	"container/list"
	"math"
	"time"

	"aldeabridge/events"
)

const (
	// endedFor is how long a call that ended is remembered. A carrier resumes a call within seconds.
	endedFor = time.Hour
	// endedLimit is how many ended calls are remembered, whatever their age.
	endedLimit = 10_000
	// silentFor is after how long a call without any event is taken for dead: its end was never told.
	silentFor = 24 * time.Hour
	// runningLimit is how many running calls there can be.
	runningLimit = 100_000
)

// A counter counts the events of one call.
type counter struct {
	callID   string
	sequence int64 // of the last event
	touched  time.Time
	streams  int // of the call that have not ended
}

// hear counts the streams of the call. There can be more than one: a carrier that lost its connection comes back
// while the stream before is still drained, and the end of that one is not the call's.
func (n *counter) hear(t events.Type) {
	switch t {
	case events.TypeCallStarted:
		n.streams++
	case events.TypeCallEnded:
		n.streams = max(n.streams-1, 0)
	default:
		n.streams = max(n.streams, 1) // also one whose beginning nobody told
	}
}

// calls keeps the counters. Each is in one of two lists, the one touched longest ago in front. One that is
// forgotten starts again at 1, should its call come back.
type calls struct {
	byID           map[string]*list.Element
	running, ended *list.List

	endedLimit, runningLimit int
}

func newCalls() calls {
	return calls{byID: map[string]*list.Element{}, running: list.New(), ended: list.New(), endedLimit: endedLimit, runningLimit: runningLimit}
}

// len counts the calls that are remembered.
func (c *calls) len() int { return len(c.byID) }

// next is the sequence of the call's next event. It is false if there are too many running calls for one more.
func (c *calls) next(callID string, now time.Time) (sequence int64, ok bool) {
	c.forget(now)
	if e := c.byID[callID]; e != nil {
		return e.Value.(*counter).sequence + 1, true
	}
	return 1, c.running.Len() < c.runningLimit
}

// took notes that an event with the sequence of next was taken. An event after the last call.ended resumes the call.
func (c *calls) took(r events.Record, now time.Time) {
	n := &counter{callID: r.CallID}
	if e := c.byID[r.CallID]; e != nil {
		n = e.Value.(*counter)
		c.list(n).Remove(e)
	}
	n.sequence, n.touched = r.Sequence, now
	n.hear(r.Type)
	c.byID[r.CallID] = c.list(n).PushBack(n)
}

// list is the one that n belongs to.
func (c *calls) list(n *counter) *list.List {
	if n.streams == 0 {
		return c.ended
	}
	return c.running
}

// forget removes counters that have grown old, and ended calls that are too many. Running calls are never
// too many here: they are refused at the door.
func (c *calls) forget(now time.Time) {
	c.trim(c.ended, c.endedLimit, now.Add(-endedFor))
	c.trim(c.running, math.MaxInt, now.Add(-silentFor))
}

// trim removes from the front of l what was touched before old, and what is more than limit.
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
