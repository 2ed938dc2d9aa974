package webhooks

import (
	"slices"
	"time"
)

// pass takes the next lane that may send, and a slot for it, or returns nil. A lane that is held back may pass
// as a probe, or to be rid of events that are too old.
func (r *receiver) pass(now time.Time) *lane {
	b := &r.breaker
	if r.heldBack(now) && !r.disabled {
		if l := r.expired(now); l != nil {
			return l
		}
	}
	if !b.open || r.disabled {
		return r.gate.next(now)
	}
	if b.probe != nil || now.Before(b.next) || now.Before(r.gate.until) {
		return nil
	}
	if c, i, ok := r.gate.longest(now); ok {
		b.probe = r.gate.take(c, i)
		return b.probe
	}
	return nil
}

// heldBack says whether lanes have to wait although there is room for them.
func (r *receiver) heldBack(now time.Time) bool { return r.breaker.open || now.Before(r.gate.until) }

// longest finds the lane whose call is up and that waits longest, or if no such call waits that of the others.
// Lanes that have not failed come before those that have: perhaps it is not the endpoint. What is sent again
// comes last.
func (g *gate) longest(now time.Time) (c class, i int, ok bool) {
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
				best, c, i, ok = l, class(k), n, true
			}
		}
	}
	return c, i, ok
}

// expired takes a lane whose head has waited for too long. It looks for them once an hour.
func (r *receiver) expired(now time.Time) *lane {
	if now.Sub(r.breaker.expired) < expireEvery {
		return nil
	}
	for c, lanes := range r.gate.ready {
		i := slices.IndexFunc(lanes, func(l *lane) bool { return !l.redelivers && r.tooOld(l.queue[0], now) })
		if i >= 0 {
			return r.gate.take(class(c), i)
		}
	}
	r.breaker.expired = now
	r.arrange()
	return nil
}

// forgive lets all lanes be as good as new: what failed with the endpoint says nothing of a lane. Otherwise those that are
// let through first would go before the others, who are still failing, until they have nothing left to send.
func (r *receiver) forgive() {
	for _, lanes := range []map[string]*lane{r.lanes, r.resend.lanes} {
		for _, l := range lanes {
			l.failing = false
		}
	}
}

// tooOld says whether an event has waited for too long.
func (r *receiver) tooOld(head item, now time.Time) bool {
	return now.Sub(head.record.Stored) > maxWait && now.Sub(r.began) > maxWait
}

// tryNow lets the next probe of an endpoint that fails be made at once, and those behind it come soon again.
func (r *receiver) tryNow() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.probeNow(time.Now())
}

// probeNow is tryNow for the holder of mu.
func (r *receiver) probeNow(now time.Time) {
	b := &r.breaker
	if !b.open || b.probe != nil || !b.next.After(now) {
		return
	}
	b.next, b.step = now, 0
	r.pump()
	r.arrange()
}

// nextTooOld says whether the event behind the head of a lane has waited for too long as well.
func (r *receiver) nextTooOld(l *lane) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(l.queue) > 1 && r.tooOld(l.queue[1], time.Now())
}

// arrange sees to it that pump is called when time alone lets lanes pass.
func (r *receiver) arrange() {
	if r.ctx == nil {
		return // not started, or stopped meanwhile
	}
	if r.reopen != nil {
		r.reopen.Stop()
	}
	now := time.Now()
	var due time.Time
	for _, at := range r.openings(now) {
		if at.After(now) && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	if due.IsZero() {
		return
	}
	r.reopen = time.AfterFunc(due.Sub(now), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.pump()
		r.arrange()
	})
}

// openings are the times at which lanes that have to wait now may not have to. Those that are past do not count.
func (r *receiver) openings(now time.Time) []time.Time {
	at := []time.Time{r.gate.until}
	if r.breaker.open && r.breaker.probe == nil {
		at = append(at, r.breaker.next)
	}
	if r.heldBack(now) {
		at = append(at, r.breaker.expired.Add(expireEvery))
	} else if r.gate.rise.limit(r.gate.limit, now) < r.gate.limit {
		at = append(at, now.Add(time.Second))
	}
	return at
}

// watch takes an outcome into the breaker's account, and says whether it was a probe that failed: that costs
// the lane none of its attempts.
func (r *receiver) watch(l *lane, o outcome) (held bool) {
	b := &r.breaker
	probe := b.probe == l
	if probe {
		b.probe = nil
	}
	opened, closed := b.saw(l, o)
	live := r.anyUp(o.end)
	switch {
	case closed:
		r.log.Info("webhook endpoint accepts again")
		r.gate.rise = rise{o.end}
		r.forgive()
		r.gate.sort(o.end)
		r.rouse(o.end)
		r.arrange()
	case opened:
		r.log.Error("webhook endpoint fails: attempts are held back", "failures", b.failures)
		b.expired = o.end
		b.later(o.end, live, r.config.Jitter)
		r.arrange()
	case probe:
		b.later(o.end, live, r.config.Jitter)
		r.arrange()
		for l := range r.asked {
			r.notYet(l)
		}
	case o.verdict == delivered:
		r.accepts()
	}
	if o.verdict == delivered && r.disabled && l.redelivers {
		r.disabled, r.goneAt = false, 0
		r.log.Info("webhook endpoint enabled: it accepts again")
	}
	if b.hopeless(o.end) {
		r.disable(0, "webhook endpoint disabled: it has accepted nothing for three days")
	}
	return b.open && o.counts()
}
