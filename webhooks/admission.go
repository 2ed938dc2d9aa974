package webhooks

import (
	"slices"
	"time"
)

// nextLane takes a slot for the next lane that may send and returns it, or nil. A lane that is held back is admitted only
// as a probe, or to settle expired events.
func (r *receiver) nextLane(now time.Time) *lane {
	b := &r.breaker
	if r.heldBack(now) && !r.disabled {
		if l := r.nextExpired(now); l != nil {
			return l
		}
	}
	if !b.open || r.disabled {
		return r.gate.next(now)
	}
	if b.probe != nil || now.Before(b.next) || now.Before(r.gate.until) {
		return nil
	}
	if c, i, ok := r.gate.longestWaiting(now); ok {
		b.probe = r.gate.admit(c, i)
		return b.probe
	}
	return nil
}

// heldBack reports whether lanes have to wait although slots are free.
func (r *receiver) heldBack(now time.Time) bool { return r.breaker.open || now.Before(r.gate.until) }

// longestWaiting finds the lane that has waited longest: first among lanes of calls that are up, then among the others, and
// redelivery lanes last. Within each group, lanes whose last attempt succeeded come first, since the failure may be
// specific to the lane and not to the endpoint.
func (g *gate) longestWaiting(now time.Time) (c priority, i int, ok bool) {
	rank := func(l *lane) int {
		switch {
		case l.redelivers:
			return 4
		case l.up(now) && !l.failing:
			return 0
		case l.up(now):
			return 1
		case !l.failing:
			return 2
		}
		return 3
	}
	var best *lane
	for k, lanes := range g.ready {
		for n, l := range lanes {
			if best == nil || rank(l) < rank(best) || rank(l) == rank(best) && l.since.Before(best.since) {
				best, c, i, ok = l, priority(k), n, true
			}
		}
	}
	return c, i, ok
}

// nextExpired admits a lane whose head has expired. It scans the lanes at most once every expireEvery.
func (r *receiver) nextExpired(now time.Time) *lane {
	if now.Sub(r.breaker.lastExpiryScan) < expireEvery {
		return nil
	}
	for c, lanes := range r.gate.ready {
		i := slices.IndexFunc(lanes, func(l *lane) bool { return !l.redelivers && r.tooOld(l.queue[0], now) })
		if i >= 0 {
			return r.gate.admit(priority(c), i)
		}
	}
	r.breaker.lastExpiryScan = now
	r.armGateTimer()
	return nil
}

// resetFailures clears the failing flag of all lanes when the endpoint recovers. Otherwise the first lanes admitted
// would outrank the others, which are still marked as failing, until they have nothing left to send.
func (r *receiver) resetFailures() {
	for _, lanes := range []map[string]*lane{r.lanes, r.redeliveries.lanes} {
		for _, l := range lanes {
			l.failing = false
		}
	}
}

// tooOld reports whether an event has expired.
func (r *receiver) tooOld(head item, now time.Time) bool {
	return now.Sub(head.record.Stored) > maxWait && now.Sub(r.began) > maxWait
}

// probeNow sends the next probe of a failing endpoint at once and restarts the delays between probes.
func (r *receiver) probeNow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probeNowLocked(time.Now())
}

// probeNowLocked is probeNow for callers that hold mu.
func (r *receiver) probeNowLocked(now time.Time) {
	b := &r.breaker
	if !b.open || b.probe != nil || !b.next.After(now) {
		return
	}
	b.next, b.step = now, 0
	r.startAttempts()
	r.armGateTimer()
}

// nextTooOld reports whether the event after the head of a lane has expired too.
func (r *receiver) nextTooOld(l *lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(l.queue) > 1 && r.tooOld(l.queue[1], time.Now())
}

// armGateTimer starts the timer that calls startAttempts at the next time at which waiting lanes may be admitted.
func (r *receiver) armGateTimer() {
	if r.ctx == nil {
		return // not started, or stopped
	}
	if r.gateTimer != nil {
		r.gateTimer.Stop()
	}
	now := time.Now()
	var due time.Time
	for _, at := range r.gateTimes(now) {
		if at.After(now) && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	if due.IsZero() {
		return
	}
	r.gateTimer = time.AfterFunc(due.Sub(now), func() {
		_ = r.locked("gate timer", r.startAttempts)
		_ = r.locked("gate timer", r.armGateTimer)
	})
}

// gateTimes returns the times at which lanes that wait now may be admitted. Past times are ignored.
func (r *receiver) gateTimes(now time.Time) []time.Time {
	at := []time.Time{r.gate.until}
	if r.breaker.open && r.breaker.probe == nil {
		at = append(at, r.breaker.next)
	}
	if r.heldBack(now) {
		at = append(at, r.breaker.lastExpiryScan.Add(expireEvery))
	} else if r.gate.slowStart.limit(r.gate.limit, now) < r.gate.limit {
		at = append(at, now.Add(time.Second))
	}
	return at
}

// updateBreaker records an outcome in the breaker, and returns whether the lane is held back: then the failure does
// not count as one of its attempts.
func (r *receiver) updateBreaker(l *lane, o outcome) (held bool) {
	b := &r.breaker
	probe := b.probe == l
	if probe {
		b.probe = nil
	}
	opened, closed := b.record(l, o)
	live := r.anyUp(o.end)
	switch {
	case closed:
		r.log.Info("webhook endpoint accepts again")
		r.gate.slowStart = slowStart{o.end}
		r.resetFailures()
		r.gate.sort(o.end)
		r.wakeBackedOff(o.end)
		r.armGateTimer()
	case opened:
		r.log.Error("webhook endpoint fails: attempts are held back", "failures", b.failures)
		b.lastExpiryScan = o.end
		b.scheduleProbe(o.end, live, r.config.Jitter)
		r.armGateTimer()
	case probe:
		b.scheduleProbe(o.end, live, r.config.Jitter)
		r.armGateTimer()
		for l := range r.requestedLanes {
			r.failRequests(l)
		}
	case o.verdict == delivered:
		r.scheduleEarlyAttempts()
	}
	if o.verdict == delivered && r.disabled && l.redelivers {
		r.disabled, r.goneAt = false, 0
		r.log.Info("webhook endpoint enabled: it accepts again")
	}
	if b.shouldDisable(o.end) {
		r.disable(0, "webhook endpoint disabled: it has accepted nothing for three days")
	}
	return b.open && o.isEndpointFailure()
}
