package api

import (
	"slices"
	"sync"
	"sync/atomic"

	"aldeabridge/events"
)

// maxInterims is how many interims may wait for one listener: some seconds of a hundred calls. Then the oldest go;
// a newer interim says all that they said.
const maxInterims = 512

// An interim is a transient event.
type interim struct {
	typ  events.Type
	body []byte
	// stamp is the position of the newest record when it was published. Everything that its call had stored
	// is at or before it, and everything that its call stores later is behind it.
	stamp int64
}

// A hub hands on interims to those that listen. Its methods may be called concurrently.
type hub struct {
	last func() int64

	listening atomic.Int32 // so that without listeners publishing costs nothing
	dropped   atomic.Int64

	mu        sync.Mutex
	listeners []*listener
}

func newHub(last func() int64) *hub { return &hub{last: last} }

// A wish selects the events of one stream. Its zero value selects all.
type wish struct {
	call  string
	types []events.Type
}

func (w wish) wants(call string, t events.Type) bool {
	return (w.call == "" || w.call == call) && (len(w.types) == 0 || slices.Contains(w.types, t))
}

// A listener is a queue of interims.
type listener struct {
	wish  wish
	ready chan struct{} // holds one token while something waits

	mu      sync.Mutex
	waiting []interim
}

// publish queues a transient event for the streams that selected it.
func (h *hub) publish(e events.Event) {
	if e.Body.Stored() || h.listening.Load() == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	one := interim{typ: e.Body.Type(), stamp: h.last()}
	for _, l := range h.listeners {
		if !l.wish.wants(e.Call.ID, one.typ) {
			continue
		}
		if one.body == nil {
			var err error
			if one.body, err = e.JSON(); err != nil {
				return // an event that has no JSON is nothing that anybody could be told
			}
		}
		h.dropped.Add(int64(l.push(one)))
	}
}

// listen returns a new listener. The caller must leave.
func (h *hub) listen(w wish) *listener {
	l := &listener{wish: w, ready: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners = append(h.listeners, l)
	h.listening.Add(1)
	return l
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.listeners = slices.DeleteFunc(h.listeners, func(other *listener) bool { return other == l })
	h.listening.Add(-1)
}

// push queues an interim, and says how many had to go for it.
func (l *listener) push(one interim) (dropped int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.waiting) >= maxInterims {
		l.waiting = slices.Delete(l.waiting, 0, 1)
		dropped = 1
	}
	l.waiting = append(l.waiting, one)
	select {
	case l.ready <- struct{}{}:
	default:
	}
	return dropped
}

// take returns what waits.
func (l *listener) take() []interim {
	l.mu.Lock()
	defer l.mu.Unlock()
	waiting := l.waiting
	l.waiting = nil
	return waiting
}
