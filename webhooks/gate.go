package webhooks

import (
	"slices"
	"time"
)

// A priority is the urgency of a lane. Lower values are admitted first.
type priority int

const (
	liveFresh   priority = iota // the call is up
	liveRetry                   // the call is up, the last attempt failed
	lateFresh                   // the call is over
	lateRetry                   // the call is over, the last attempt failed
	redelivered                 // the lane of a redelivery
	priorities
)

func (c priority) late() bool  { return c >= lateFresh }
func (c priority) retry() bool { return c == liveRetry || c == lateRetry }

// A gate limits the attempts under way at an endpoint, admits lanes by priority, and can be closed for a time. The
// receiver's mutex guards it.
type gate struct {
	limit     int
	slowStart slowStart
	ready     [priorities][]*lane // lanes that wait for a slot, in order of arrival
	busy      [priorities]int     // slots in use
	paused    time.Time           // when the pause began
	until     time.Time           // end of the pause: no lane is admitted before
}

// push queues a lane.
func (g *gate) push(l *lane, c priority) {
	l.slotPriority = c
	g.ready[c] = append(g.ready[c], l)
}

// admit removes the i-th waiting lane of priority c and gives it a slot.
func (g *gate) admit(c priority, i int) *lane {
	l := g.ready[c][i]
	if i == 0 { // the common case moves no other lane
		g.ready[c][0] = nil
		g.ready[c] = g.ready[c][1:]
	} else {
		g.ready[c] = slices.Delete(g.ready[c], i, i+1)
	}
	g.busy[c]++
	return l
}

// sort moves the waiting lanes to their current priorities: calls may have ended since they were queued.
func (g *gate) sort(now time.Time) {
	waiting := slices.Concat(g.ready[:]...)
	g.ready = [priorities][]*lane{}
	slices.SortStableFunc(waiting, func(a, b *lane) int { return a.since.Compare(b.since) })
	for _, l := range waiting {
		g.push(l, l.priority(now))
	}
}

// next gives a slot to the lane that may send now and returns it, or nil.
func (g *gate) next(now time.Time) *lane {
	if now.Before(g.until) {
		return nil
	}
	for c := range priorities {
		if len(g.ready[c]) > 0 && g.free(c, g.slowStart.limit(g.limit, now)) {
			return g.admit(c, 0)
		}
	}
	return nil
}

// free reports whether priority c may use another of limit slots.
//
// Retrying lanes leave a quarter of the slots to the others, and retrying lanes of ended calls use at most a quarter,
// so that many failing calls do not stop the rest. While lanes of live calls wait, all lanes of ended calls together
// use at most a quarter. Redeliveries never use more than a quarter.
func (g *gate) free(c priority, limit int) bool {
	late := g.busy[lateFresh] + g.busy[lateRetry] + g.busy[redelivered]
	retry := g.busy[liveRetry] + g.busy[lateRetry]
	quarter := limit / 4
	liveWaits := len(g.ready[liveFresh])+len(g.ready[liveRetry]) > 0
	switch {
	case g.busy[liveFresh]+g.busy[liveRetry]+late >= limit:
		return false
	case c.retry() && retry >= limit-quarter:
		return false
	case c == redelivered && g.busy[redelivered] >= max(1, quarter):
		return false
	case c == lateRetry && g.busy[lateRetry] >= max(1, quarter):
		return false
	case c.late() && liveWaits && late >= quarter:
		return false
	}
	return true
}

// done releases a slot of priority c.
func (g *gate) done(c priority) { g.busy[c]-- }

// pause closes the gate for d from now on. It never shortens a pause.
func (g *gate) pause(now time.Time, d time.Duration) {
	if until := now.Add(d); until.After(g.until) {
		g.paused, g.until = now, until
	}
}

// shorten limits the current pause to d, counted from its beginning.
func (g *gate) shorten(d time.Duration) {
	if until := g.paused.Add(d); until.Before(g.until) {
		g.until = until
	}
}
