package webhooks

import (
	"slices"
	"time"

	"aldeabridge/events"
)

// An endpoint that accepts an event is well again, but the lanes that failed before may wait for hours. Such a lane is tried early
// then. That attempt takes no step of its schedule: if it fails, the lane waits for the time that it had. So an endpoint that accepts
// some calls and not others does not use up the attempts of those.
const (
	// reviveDelay gathers the answers of an endpoint that accepts many events, so that the waiting lanes are looked at once.
	reviveDelay = 200 * time.Millisecond
	// The least time between an attempt of a lane and its next early one is four times longer each time, between these.
	reviveFirst = time.Second
	reviveMost  = time.Hour
	reviveSteps = 6 // to reviveMost
)

// accepts sees to it that lanes that wait are tried early: the endpoint has just accepted an event.
func (r *receiver) accepts() {
	if len(r.backedOff) > 0 && r.revival == nil && r.ctx != nil {
		r.revival = time.AfterFunc(reviveDelay, r.revive)
	}
}

// revive puts the next attempts of the lanes that wait forward.
func (r *receiver) revive() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.revival = nil
	if r.ctx == nil {
		return
	}
	for l := range r.backedOff {
		at := l.ended.Add(min(reviveFirst<<(2*l.revivals), reviveMost))
		if l.hurried || !at.Before(l.due) {
			continue
		}
		l.hurried, l.revivals = true, min(l.revivals+1, reviveSteps)
		r.sleep(l, at)
	}
}

// hurry makes a lane ready that waits for its next attempt.
func (r *receiver) hurry(l *lane, now time.Time) {
	if l.state == waiting {
		l.hurried = true
		r.ready(l, now)
	}
}

// rouse makes all lanes ready that wait because the endpoint failed.
func (r *receiver) rouse(now time.Time) {
	for l := range r.backedOff {
		r.hurry(l, now)
	}
}

// hurryAll tries at once what waits of a redelivery that is under way.
func (r *receiver) hurryAll(one *redelivery, now time.Time) {
	for _, lanes := range []map[string]*lane{r.lanes, r.resend.lanes} {
		for _, l := range lanes {
			if l.state == waiting && slices.ContainsFunc(l.queue, func(i item) bool { return i.redelivery == one || i.asked == one }) {
				r.hurry(l, now)
			}
		}
	}
	r.pump()
	r.probeNow(now)
}

// askAll has the lanes tried at once in which events of a redelivery wait.
func (r *receiver) askAll(one *redelivery, records []events.Record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	for _, record := range records {
		if record.Owed != nil {
			r.ask(r.lanes[record.CallID], one, record)
		}
	}
	for l := range r.asked {
		r.hurry(l, now)
	}
	r.pump()
}

// ask notes that a redelivery counts what becomes of an event in the next attempt of its lane, or behind it.
func (r *receiver) ask(l *lane, one *redelivery, record events.Record) {
	if l == nil {
		return // it was settled meanwhile
	}
	i := slices.IndexFunc(l.queue, func(i item) bool { return i.record.Position == record.Position })
	switch {
	case i < 0 || l.queue[i].asked != nil:
	case one.failed[l]: // not twice for one redelivery
		one.status.Failed++
	default:
		l.queue[i].asked = one
		one.status.Waiting++
		r.asked[l] = true
	}
}

// notYet tells redeliveries that what they asked for in a lane goes on waiting: the attempt failed.
func (r *receiver) notYet(l *lane) {
	if !r.asked[l] {
		return
	}
	delete(r.asked, l)
	for i := range l.queue {
		if one := l.queue[i].asked; one != nil {
			l.queue[i].asked, one.failed[l] = nil, true
			r.tally(one, false)
		}
	}
}

// NextAttempt is when the events of a call that wait for an endpoint are tried at the earliest, the oldest first; zero if none waits.
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
