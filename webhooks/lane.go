package webhooks

import (
	"time"

	"aldeabridge/events"
)

// laneState is the state of a lane. A lane goes from idle to ready to sending, and from sending to any state.
type laneState int

const (
	idle    laneState = iota // nothing to send
	ready                    // queued at the gate
	sending                  // an attempt is under way: it has a goroutine
	waiting                  // its timer is running
)

// An item is an event queued in a lane.
type item struct {
	record     events.Record // the body may be nil: it is loaded before it is sent
	filtered   bool          // settle it in order, without sending it
	redelivery *redelivery   // the redelivery that enqueued it, in redelivery lanes
	requester  *redelivery   // the redelivery that requested an immediate attempt and counts its result
}

// A lane holds the queued events of one endpoint and one call. Their order is kept. The receiver's mutex guards it.
type lane struct {
	queue        []item // the head is removed when it is settled
	state        laneState
	slotPriority priority  // of its place in the gate's queue, or of its slot
	since        time.Time // when it was last made ready

	redelivers bool // a redelivery lane, beside the lane of the call

	streams int       // streams of the call that have not ended
	newest  time.Time // when the newest event was stored

	schedule  schedule
	failing   bool // the last attempt failed
	exhausted bool // the schedule ran out: one attempt for each event until one is accepted

	// The next three describe the head of the queue.
	attempts   int
	rejections int
	repeated   bool // the immediate repetition was used

	ended         time.Time // when the last attempt ended
	backoff       bool      // waiting by its schedule
	due           time.Time // when the schedule makes it ready
	early         bool      // made ready before due
	earlyAttempts int       // early attempts since the last accepted event
	wake          time.Time // when timer fires
	timer         *time.Timer
}

// maxCall is the time after the newest event of a call during which it counts as up. It ends the fast retries of a
// call whose end was never recorded.
const maxCall = 6 * time.Hour

// up reports whether the call is up.
func (l *lane) up(now time.Time) bool { return l.streams > 0 && now.Sub(l.newest) < maxCall }

// countStreams updates the number of the call's streams that are up. It can exceed one: a carrier that lost its
// connection reconnects while the previous stream is still drained, and the end of that stream is not the end of the
// call.
func (l *lane) countStreams(t events.Type) {
	switch t {
	case events.TypeCallStarted:
		l.streams++
	case events.TypeCallEnded:
		l.streams = max(l.streams-1, 0)
	default:
		l.streams = max(l.streams, 1) // the start event may not have been read
	}
}

// priority returns the class in which the lane queues for a slot.
func (l *lane) priority(now time.Time) priority {
	if l.redelivers {
		return redelivered
	}
	c := liveFresh
	if !l.up(now) {
		c = lateFresh
	}
	if l.failing {
		c++
	}
	return c
}

// removable reports whether the lane holds no state that is still needed.
func (l *lane) removable(now time.Time) bool {
	return l.state == idle && len(l.queue) == 0 && !l.up(now)
}

// pop removes the head, which is settled.
func (l *lane) pop() {
	l.queue[0] = item{}
	l.queue = l.queue[1:]
	l.attempts, l.rejections, l.repeated, l.early = 0, 0, false, false
}

// A decision is the consequence of an attempt.
type decision struct {
	again bool          // repeat at once, uncounted
	held  bool          // the breaker is open: back to the gate
	state string        // the state to settle the head in; empty: retry after delay
	delay time.Duration // counted from the end of the attempt
	pause time.Duration // close the endpoint's gate for this duration
	gone  bool          // disable the endpoint
}

// immediateRepeatWindow is the age up to which a broken connection is repeated at once.
const immediateRepeatWindow = time.Second

// repeatsNow reports whether the attempt is repeated at once and not counted: the connection broke or was refused, as
// happens while a server restarts. It returns true once for each event.
func (l *lane) repeatsNow(o outcome) bool {
	broken := o.class == ClassReset || o.class == ClassRefused
	if !broken || l.repeated || o.end.Sub(o.start) >= immediateRepeatWindow {
		return false
	}
	l.repeated = true
	return true
}

// decide applies the outcome of an attempt to the lane. Delays are multiplied by jitter.
func (l *lane) decide(o outcome, held bool, jitter func() float64) decision {
	switch o.verdict {
	case delivered:
		l.schedule, l.failing, l.exhausted, l.earlyAttempts = schedule{}, false, false, 0
		return decision{state: StateDelivered}
	case gone:
		return decision{state: ReasonEndpointGone.State(), gone: true}
	case aborted:
		return decision{state: ReasonAborted.State()}
	case refused:
		return decision{state: ReasonAddressRefused.State()}
	}
	l.attempts++
	l.failing = true
	if held {
		return decision{held: true}
	}
	if l.early && o.verdict != rejected && o.end.Before(l.due) {
		l.backoff = true
		d := decision{delay: l.due.Sub(o.end)}
		if o.verdict == slowDown {
			d.pause = max(lateDelays[0], o.pause)
		}
		return d
	}
	d, reason := l.step(o)
	if reason != "" {
		return decision{state: reason.State(), pause: o.pause}
	}
	delay := time.Duration(float64(d) * jitter())
	if o.verdict == slowDown {
		return decision{delay: delay, pause: max(delay, o.pause)}
	}
	return decision{delay: delay}
}

// step returns the delay after a failure, or the reason why no attempt follows.
func (l *lane) step(o outcome) (time.Duration, Reason) {
	l.backoff = o.verdict != rejected
	if !l.backoff {
		l.rejections++
		if l.exhausted || l.rejections > len(rejectedDelays) {
			return 0, ReasonRejected
		}
		return rejectedDelays[l.rejections-1], ""
	}
	if l.exhausted {
		return 0, ReasonExhausted
	}
	d, ok := l.schedule.next(l.up(o.end))
	if !ok {
		l.exhausted = true
		return 0, ReasonExhausted
	}
	return d, ""
}
