package webhooks

import (
	"slices"
	"time"

	"aldeabridge/events"
)

// When an endpoint accepts an event it has recovered, but lanes that failed earlier may back off for hours. Those
// lanes are tried early. An early attempt does not advance the schedule of its lane: if it fails, the lane waits
// until the time that was set before. So an endpoint that accepts only some calls does not use up the attempts of the
// others.
const (
	// earlyDelay combines the answers of a burst, so that the waiting lanes are scanned once.
	earlyDelay = 200 * time.Millisecond
	// The minimum time between an attempt of a lane and its next early one grows by a factor of four, from
	// minEarlyInterval to maxEarlyInterval.
	minEarlyInterval = time.Second
	maxEarlyInterval = time.Hour
	earlySteps       = 6 // until maxEarlyInterval is reached
)

// scheduleEarlyAttempts starts the timer for early attempts. It is called when the endpoint has accepted an event.
func (r *receiver) scheduleEarlyAttempts() {
	if len(r.backedOff) > 0 && r.earlyTimer == nil && r.ctx != nil {
		r.earlyTimer = time.AfterFunc(earlyDelay, func() { _ = r.locked("early retry timer", r.attemptEarly) })
	}
}

// attemptEarly brings forward the next attempts of lanes that back off. The caller holds mu.
func (r *receiver) attemptEarly() {
	r.earlyTimer = nil
	if r.ctx == nil {
		return
	}
	for l := range r.backedOff {
		at := l.ended.Add(min(minEarlyInterval<<(2*l.earlyAttempts), maxEarlyInterval))
		if l.early || !at.Before(l.due) {
			continue
		}
		l.early, l.earlyAttempts = true, min(l.earlyAttempts+1, earlySteps)
		r.setTimer(l, at)
	}
}

// wakeLane makes a waiting lane ready at once.
func (r *receiver) wakeLane(l *lane, now time.Time) {
	if l.state == waiting {
		l.early = true
		r.ready(l, now)
	}
}

// wakeBackedOff makes all lanes ready that back off.
func (r *receiver) wakeBackedOff(now time.Time) {
	for l := range r.backedOff {
		r.wakeLane(l, now)
	}
}

// wakeRedelivery makes the lanes ready in which events of a redelivery wait, and probes a failing endpoint.
func (r *receiver) wakeRedelivery(one *redelivery, now time.Time) {
	for _, lanes := range []map[string]*lane{r.lanes, r.redeliveries.lanes} {
		for _, l := range lanes {
			if l.state == waiting && slices.ContainsFunc(l.queue, func(i item) bool { return i.redelivery == one || i.requester == one }) {
				r.wakeLane(l, now)
			}
		}
	}
	r.startAttempts()
	r.probeNowLocked(now)
}

// requestAttempts requests an immediate attempt of those records that are still waiting in the lanes of their calls.
func (r *receiver) requestAttempts(one *redelivery, records []events.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, record := range records {
		if record.Owed != nil {
			r.requestAttempt(r.lanes[record.CallID], one, record)
		}
	}
	for l := range r.requestedLanes {
		r.wakeLane(l, now)
	}
	r.startAttempts()
}

// requestAttempt records that a redelivery counts the result of the next attempt of an event in its lane.
func (r *receiver) requestAttempt(l *lane, one *redelivery, record events.Record) {
	if l == nil {
		return // already settled
	}
	i := slices.IndexFunc(l.queue, func(i item) bool { return i.record.Position == record.Position })
	switch {
	case i < 0 || l.queue[i].requester != nil:
	case one.failed[l]: // count only one attempt of a lane for each redelivery
		one.status.Failed++
	default:
		l.queue[i].requester = one
		one.status.Waiting++
		r.requestedLanes[l] = true
	}
}

// failRequests counts the events of a lane that redeliveries asked for as failed: the attempt failed, and they go on
// waiting.
func (r *receiver) failRequests(l *lane) {
	if !r.requestedLanes[l] {
		return
	}
	delete(r.requestedLanes, l)
	for i := range l.queue {
		if one := l.queue[i].requester; one != nil {
			l.queue[i].requester, one.failed[l] = nil, true
			r.countResult(one, false)
		}
	}
}

// NextAttempt returns the earliest time of the next attempt for a call at an endpoint, or zero if no event of the
// call waits there. The oldest event is sent first.
func (d *Dispatcher) NextAttempt(endpoint, callID string) time.Time {
	i := slices.IndexFunc(d.receivers, func(r *receiver) bool { return r.name() == endpoint })
	if i < 0 {
		return time.Time{}
	}
	return d.receivers[i].nextAttempt(callID, time.Now())
}

func (r *receiver) nextAttempt(callID string, now time.Time) time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.lanes[callID]
	if l == nil || len(l.queue) == 0 {
		return time.Time{}
	}
	at := now
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	if l.state == waiting {
		later(l.wake)
	}
	if l.state != sending {
		later(r.gate.until)
		if r.breaker.open {
			later(r.breaker.next)
		}
	}
	return at
}
