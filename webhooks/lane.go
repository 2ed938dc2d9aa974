package webhooks

import (
	"time"

	"aldeabridge/events"
)

// laneState is where a lane is. It goes from idle to ready to sending, and from there to any.
type laneState int

const (
	idle    laneState = iota // nothing to send
	ready                    // queued at the gate
	sending                  // an attempt is under way: it has a goroutine
	waiting                  // for its timer
)

// An item is an event in a lane.
type item struct {
	record     events.Record // perhaps without its body
	filtered   bool          // to be settled in its turn, not to be sent
	redelivery *redelivery   // that it belongs to, in lanes that redeliver
	asked      *redelivery   // that found it waiting, and has it tried at once
}

// A lane is one endpoint and one call: the unit of order. Its endpoint's lock guards it.
type lane struct {
	queue []item // the head first; it stays until it is settled
	state laneState
	class class     // of its place or slot at the gate
	since time.Time // when it was last made ready

	redelivers bool // it is not the call's lane, but one for what was asked for again

	streams int       // of the call that are up
	newest  time.Time // when the newest event was stored

	schedule  schedule
	failing   bool // the last attempt failed
	exhausted bool // a head died of the schedule: one attempt for each event until one succeeds

	// Of the head:
	attempts   int
	rejections int
	repeated   bool // it had its immediate repetition

	ended    time.Time // when the last attempt ended
	backoff  bool      // waiting as the schedule says
	due      time.Time // when it is to be ready, as the schedule says
	hurried  bool      // it is ready before that
	revivals int       // how often it was tried early since it last delivered
	wake     time.Time // when timer fires
	timer    *time.Timer
}

// maxCall is how long a call is believed to be up after its newest event. It ends the retries of a call
// whose end was never recorded.
const maxCall = 6 * time.Hour

// up says whether the call is up.
func (l *lane) up(now time.Time) bool { return l.streams > 0 && now.Sub(l.newest) < maxCall }

// hear counts the streams of the call that are up. There can be more than one: a carrier that lost its connection
// comes back while the stream before is still drained, and the end of that one is not the call's.
func (l *lane) hear(t events.Type) {
	switch t {
	case events.TypeCallStarted:
		l.streams++
	case events.TypeCallEnded:
		l.streams = max(l.streams-1, 0)
	default:
		l.streams = max(l.streams, 1) // also one whose beginning was never read
	}
}

// at returns the class in which the lane waits for a slot.
func (l *lane) at(now time.Time) class {
	if l.redelivers {
		return again
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

// unused says whether nothing is lost when the lane is forgotten.
func (l *lane) unused(now time.Time) bool {
	return l.state == idle && len(l.queue) == 0 && !l.up(now)
}

// pop drops the head, which is settled.
func (l *lane) pop() {
	l.queue[0] = item{}
	l.queue = l.queue[1:]
	l.attempts, l.rejections, l.repeated, l.hurried = 0, 0, false, false
}

// A decision is what follows from an attempt.
type decision struct {
	again bool          // repeat at once, uncounted
	held  bool          // the breaker is open: back to the gate
	state string        // settle the head so; empty: try again after delay
	delay time.Duration // from the end of the attempt
	pause time.Duration // shut the endpoint's gate for that long
	gone  bool          // disable the endpoint
}

// quick is how soon a connection must break for the attempt to be repeated at once.
const quick = time.Second

// repeats says whether an attempt is to be repeated at once, as if it had not been: the connection broke, or
// nobody listened, as it happens while a server restarts. It says so once for each event.
func (l *lane) repeats(o outcome) bool {
	broken := o.class == ClassReset || o.class == ClassRefused
	if !broken || l.repeated || o.end.Sub(o.start) >= quick {
		return false
	}
	l.repeated = true
	return true
}

// decide takes the outcome of an attempt into the lane's state. jitter is applied to its delays.
func (l *lane) decide(o outcome, held bool, jitter func() float64) decision {
	switch o.verdict {
	case delivered:
		l.schedule, l.failing, l.exhausted, l.revivals = schedule{}, false, false, 0
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
	if l.hurried && o.verdict != rejected && o.end.Before(l.due) {
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

// step returns the wait after a failure, or the reason why there shall be no further attempt.
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
