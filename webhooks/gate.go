package webhooks

import "time"

// A class is how urgent a lane is. Lower comes first.
type class int

const (
	liveFresh class = iota // the call is up
	liveRetry              // the call is up, the last attempt failed
	lateFresh              // the call is over
	lateRetry              // the call is over, the last attempt failed
	classes
)

func (c class) late() bool  { return c >= lateFresh }
func (c class) retry() bool { return c == liveRetry || c == lateRetry }

// A gate decides which lanes of an endpoint may send. It bounds the attempts under way, lets urgent lanes
// go first, and can be shut for a while. It is not guarded.
type gate struct {
	limit  int
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

// next takes the lane that may send now, and a slot for it, or returns nil.
func (g *gate) next(now time.Time) *lane {
	if now.Before(g.until) {
		return nil
	}
	for c := range classes {
		if len(g.ready[c]) == 0 || !g.free(c) {
			continue
		}
		l := g.ready[c][0]
		g.ready[c][0] = nil
		g.ready[c] = g.ready[c][1:]
		g.busy[c]++
		return l
	}
	return nil
}

// free says whether class c may have another slot.
//
// Lanes whose last attempt failed leave a quarter of the slots to the others, and late ones among them take
// no more than a quarter, so that a crowd of stuck calls does not stop the rest. While live lanes wait, late
// lanes have no more than a quarter together.
func (g *gate) free(c class) bool {
	late := g.busy[lateFresh] + g.busy[lateRetry]
	retry := g.busy[liveRetry] + g.busy[lateRetry]
	quarter := g.limit / 4
	liveWaits := len(g.ready[liveFresh])+len(g.ready[liveRetry]) > 0
	switch {
	case g.busy[liveFresh]+g.busy[liveRetry]+late >= g.limit:
		return false
	case c.retry() && retry >= g.limit-quarter:
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
