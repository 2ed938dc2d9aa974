package aldea

import (
	"slices"
	"sync"
	"time"
)

// A guard decides when the streams of a client may connect, and to which host. An outage hits all of them at
// once; without it they would return all at once, too, and bring down what has just come up.
//
// It has no goroutine of its own: whoever changes something hands out the turns that this allows, and a
// timer does while streams wait for time to pass.
type guard struct {
	limit int // connections at once; 0 is no limit
	probe prober

	mu      sync.Mutex // guards what follows, and the hosts
	hosts   []*host
	waiting []*waiter
	timer   *time.Timer // nil before anybody had to wait
	streams int
	open    int // connections
	places  int // taken, of limit
}

// A waiter is a stream as the guard sees it. Its fields are guarded by the guard's mutex; turn is for the
// stream to receive from.
type waiter struct {
	since  time.Time  // the longest wait goes first
	ended  bool       // before all others: there is little time left
	placed bool       // it has one of the places, and keeps it to its end
	barred []bool     // by host: it refuses this stream
	tried  []bool     // by host: it did not work just now
	turn   chan *host // the host to dial
}

func newGuard(hosts []*host, limit int, dial dialFunc) *guard {
	g := &guard{limit: limit, hosts: hosts}
	g.probe = prober{guard: g, dial: dial}
	return g
}

// join announces a stream.
func (g *guard) join(now time.Time) *waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.streams++
	return &waiter{
		since:  now,
		barred: make([]bool, len(g.hosts)),
		tried:  make([]bool, len(g.hosts)),
		turn:   make(chan *host, 1),
	}
}

// leave ends what join began. Nothing that the last stream needed is left running.
func (g *guard) leave(w *waiter) {
	g.mu.Lock()
	g.streams--
	if w.placed {
		w.placed = false
		g.places--
	}
	g.dispatch(time.Now())
	last := g.streams == 0
	g.mu.Unlock()
	if last {
		g.probe.stop()
	}
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

// dialled ends a turn. A nil error is a connection; parted ends it.
func (g *guard) dialled(w *waiter, h *host, err error, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		h.open++
		g.open++
		clear(w.tried)
	}
	g.note(h, err, now)
	g.dispatch(now)
}

// cancelled ends a turn that says nothing about the host.
func (g *guard) cancelled(h *host, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.dialing--
	g.dispatch(now)
}

// note learns from an attempt.
func (g *guard) note(h *host, err error, now time.Time) {
	h.dialing--
	if err == nil {
		h.succeed(now)
		return
	}
	h.failed++
	if judge(err) != verdictRetry {
		h.refuse(now)
		return
	}
	h.fail(now)
	// A wait that is asked of one stream while others are let in is that stream's, unless it has somewhere
	// else to go.
	asked := retryAfterOf(err)
	if asked > 0 && (len(g.hosts) > 1 || now.Sub(h.tookAt) >= time.Second) {
		h.hold(min(asked, longestHold), now)
	}
}

// A parting says how a connection ended.
type parting int

const (
	partingEnd   parting = iota // by the stream, which needs it no more
	partingLoss                 // by the other side, or the network
	partingEarly                // so soon that it was worth no more than a failed attempt
	partingStall                // it was open, but did not work
)

// parted notes the end of a connection.
func (g *guard) parted(h *host, how parting, now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	h.open--
	g.open--
	switch how {
	case partingLoss:
		h.drop(now)
	case partingEarly:
		h.drop(now)
		h.fail(now)
	case partingStall:
		h.drop(now)
		h.fail(now)
		h.leftUntil = now.Add(awayTime)
	}
	g.dispatch(now)
}

// bar notes that a host refuses the stream, and reports whether another one is left.
func (g *guard) bar(w *waiter, h *host, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.barred[h.index] = true
	if len(g.hosts) > 1 {
		h.hold(awayTime, now) // it will refuse the others, too
	}
	return slices.Contains(w.barred, false)
}

// forgive forgets the refusals: the stream has been served since.
func (g *guard) forgive(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	clear(w.barred)
	clear(w.tried)
}

// another notes that a host did not work, and reports whether there is one that may work better right now.
// If not, all are worth trying again after a wait.
func (g *guard) another(w *waiter, h *host, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	w.tried[h.index] = true
	for _, h := range g.hosts {
		if !w.barred[h.index] && !w.tried[h.index] && h.trusted(now) {
			return true
		}
	}
	clear(w.tried)
	return false
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

// mayMove reports whether a stream that is served by a host should change to a better one now. Moves are
// spaced like other attempts after an outage, and come after the streams that wait.
func (g *guard) mayMove(w *waiter, from *host, now time.Time) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.waiting) > 0 {
		return false
	}
	for _, h := range g.hosts[:from.index] {
		if h.proven(now) && h.free(now) && !w.barred[h.index] && !now.Before(h.leftUntil) && !now.Before(h.moveAt) {
			h.moveAt = now.Add(time.Second / recoveryRate)
			w.tried[from.index] = true // while it asks for its turn
			return true
		}
	}
	return false
}
