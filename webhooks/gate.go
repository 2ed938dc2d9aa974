package webhooks

import (
	"slices"
	"time"
)

// A class is how urgent a lane is. Lower comes first.
type class int

const (
	liveFresh class = iota // the call is up
	liveRetry              // the call is up, the last attempt failed
	lateFresh              // the call is over
	lateRetry              // the call is over, the last attempt failed
	again                  // somebody asked for it again
	classes
)

func (c class) late() bool  { return c >= lateFresh }
func (c class) retry() bool { return c == liveRetry || c == lateRetry }

// A gate decides which lanes of an endpoint may send. It bounds the attempts under way, lets urgent lanes
// go first, and can be shut for a while. It is not guarded.
type gate struct {
	limit  int
	rise   rise
	ready  [classes][]*lane // waiting for a slot, first come first
	busy   [classes]int     // slots taken
	paused time.Time        // since
	until  time.Time        // nobody passes before
}

// push queues a lane.
func (g *gate) push(l *lane, c class) {
	l.class = c
	g.ready[c] = append(g.ready[c], l)
}

// take takes the i-th lane that waits in class c, and a slot for it.
func (g *gate) take(c class, i int) *lane {
	l := g.ready[c][i]
	if i == 0 { // the usual way does not move the others
		g.ready[c][0] = nil
		g.ready[c] = g.ready[c][1:]
	} else {
		g.ready[c] = slices.Delete(g.ready[c], i, i+1)
	}
	g.busy[c]++
	return l
}

// sort puts the waiting lanes where they belong now: calls may have ended since they came.
func (g *gate) sort(now time.Time) {
	waiting := slices.Concat(g.ready[:]...)
	g.ready = [classes][]*lane{}
	slices.SortStableFunc(waiting, func(a, b *lane) int { return a.since.Compare(b.since) })
	for _, l := range waiting {
		g.push(l, l.at(now))
	}
}

// next takes the lane that may send now, and a slot for it, or returns nil.
func (g *gate) next(now time.Time) *lane {
	if now.Before(g.until) {
		return nil
	}
	for c := range classes {
		if len(g.ready[c]) > 0 && g.free(c, g.rise.limit(g.limit, now)) {
			return g.take(c, 0)
		}
	}
	return nil
}

// free says whether class c may have another of limit slots.
//
// Lanes whose last attempt failed leave a quarter of the slots to the others, and late ones among them take
// no more than a quarter, so that a crowd of stuck calls does not stop the rest. While live lanes wait, late
// lanes have no more than a quarter together, and what is sent again never has more.
func (g *gate) free(c class, limit int) bool {
	late := g.busy[lateFresh] + g.busy[lateRetry] + g.busy[again]
	retry := g.busy[liveRetry] + g.busy[lateRetry]
	quarter := limit / 4
	liveWaits := len(g.ready[liveFresh])+len(g.ready[liveRetry]) > 0
	switch {
	case g.busy[liveFresh]+g.busy[liveRetry]+late >= limit:
		return false
	case c.retry() && retry >= limit-quarter:
		return false
	case c == again && g.busy[again] >= max(1, quarter):
		return false
	case c == lateRetry && g.busy[lateRetry] >= max(1, quarter):
		return false
	case c.late() && liveWaits && late >= quarter:
		return false
	}
	return true
}

// done gives a slot of class c back.
func (g *gate) done(c class) { g.busy[c]-- }

// pause shuts the gate for d from now on. It never shortens a pause.
func (g *gate) pause(now time.Time, d time.Duration) {
	if until := now.Add(d); until.After(g.until) {
		g.paused, g.until = now, until
	}
}

// shorten lets no pause be longer than d from its beginning.
func (g *gate) shorten(d time.Duration) {
	if until := g.paused.Add(d); until.Before(g.until) {
		g.until = until
	}
}
