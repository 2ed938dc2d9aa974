package aldea

import (
	"slices"
	"time"
)

// A waiter is a stream as the guard sees it. Its fields are guarded by the guard's mutex; turn is for the
// stream to receive from.
type waiter struct {
	since  time.Time  // the longest wait goes first
	ended  bool       // before all others: there is little time left
	placed bool       // it has one of the places, and keeps it to its end
	barred []bool     // by host: it refuses this stream
	tried  []bool     // by host: it did not work just now
	turn   chan *host // the host to dial

	particular bool // its settings are not those of all
	refused    bool // all hosts refuse it
}

// ask queues a stream for a turn to dial. It reports whether a place must become free first.
func (g *guard) ask(w *waiter, now time.Time) (full bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.relax(now)
	g.waiting = append(g.waiting, w)
	g.dispatch(now)
	return !w.placed && g.full() && slices.Contains(g.waiting, w)
}

// hurry puts a stream whose audio has ended before the others.
func (g *guard) hurry(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.ended = true
	g.dispatch(time.Now())
}

// withdraw takes back what ask asked for, even if the turn has come.
func (g *guard) withdraw(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	select {
	case h := <-w.turn:
		h.dialing--
		h.dials--
	default:
	}
	g.dispatch(time.Now())
}

// since sets when the stream's wait began.
func (g *guard) since(w *waiter, t time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.since = t
}

// dispatch hands out all the turns that there are. The caller holds mu.
func (g *guard) dispatch(now time.Time) {
	for {
		w, h := g.match(now)
		if w == nil {
			break
		}
		g.waiting = slices.DeleteFunc(g.waiting, func(other *waiter) bool { return other == w })
		if !w.placed {
			w.placed = true
			g.places++
		}
		h.begin(now)
		w.turn <- h
	}
	g.arm(now)
	g.probe.check(now)
}

// match finds the first in line for whom there is a host.
func (g *guard) match(now time.Time) (first *waiter, at *host) {
	if !slices.ContainsFunc(g.hosts, func(h *host) bool { return h.free(now) }) {
		return nil, nil
	}
	for _, w := range g.waiting {
		if first != nil && !w.before(first) || !w.placed && g.full() {
			continue
		}
		if h := g.choose(w, now); h != nil {
			first, at = w, h
		}
	}
	return first, at
}

func (w *waiter) before(other *waiter) bool {
	if w.ended != other.ended {
		return w.ended
	}
	return w.since.Before(other.since)
}

func (g *guard) full() bool { return g.limit > 0 && g.places >= g.limit }

// choose finds a host that can be dialled now: the first of those that are believed to work, preferably one
// that did not just fail this stream. A host in doubt is tried only when there is no other.
func (g *guard) choose(w *waiter, now time.Time) *host {
	for _, suits := range []func(*host) bool{
		func(h *host) bool { return h.trusted(now) && !w.tried[h.index] },
		func(h *host) bool { return h.trusted(now) },
		func(*host) bool { return true },
	} {
		some := false
		for _, h := range g.hosts {
			if w.barred[h.index] || !suits(h) {
				continue
			}
			if h.free(now) {
				return h
			}
			some = true
		}
		if some {
			return nil // worth waiting for
		}
	}
	return nil
}

// arm sets the timer to when time alone makes a host free, if anybody waits.
func (g *guard) arm(now time.Time) {
	var at time.Time
	for _, h := range g.hosts {
		if t := h.freeAt(now); !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	switch {
	case len(g.waiting) == 0 || at.IsZero():
		if g.timer != nil {
			g.timer.Stop()
		}
	case g.timer == nil:
		g.timer = time.AfterFunc(at.Sub(now), g.tick)
	default:
		g.timer.Reset(at.Sub(now))
	}
}

func (g *guard) tick() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.dispatch(time.Now())
}

// relax ends recoveries that are over.
func (g *guard) relax(now time.Time) {
	if len(g.waiting) > 0 {
		return
	}
	for _, h := range g.hosts {
		h.relax(now)
	}
}
