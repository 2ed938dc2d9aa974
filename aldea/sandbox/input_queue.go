package sandbox

import (
	"context"
	"sync"
	"time"
)

// An item is one frame from the client, or the idle timeout.
type item struct {
	audio   []byte // a binary frame, if it had bytes
	control control
	text    string // of a bad text frame
	at      time.Time
}

// size is the space of an item in the queue. It includes a constant, so that a flood of tiny frames fills the queue too.
func (it item) size() int { return len(it.audio) + 64 }

// control is the meaning of a frame without audio.
type control int

const (
	noControl control = iota
	keepAlive
	finalize
	closeStream
	emptyFrame
	badText
	idle // not from the client: the idle timeout expired
)

// A queue carries items from the reader to the worker. It is bounded in bytes, because the recognizer may be
// slow; push blocks while the queue is full.
type queue struct {
	limit int
	ready chan struct{} // has a token while there may be items
	space chan struct{} // has a token after an item was taken

	mu    sync.Mutex // guards the rest
	items []item
	bytes int
}

func newQueue(limit int) *queue {
	return &queue{limit: limit, ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

// push adds an item. It blocks while the queue is full.
func (q *queue) push(ctx context.Context, it item) error {
	for !q.offer(it) {
		select {
		case <-q.space:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (q *queue) offer(it item) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.bytes > 0 && q.bytes+it.size() > q.limit {
		return false
	}
	q.items = append(q.items, it)
	q.bytes += it.size()
	signal(q.ready)
	return true
}

// pop takes the oldest item. If others remain, ready keeps its token.
func (q *queue) pop() (item, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.items) == 0 {
		return item{}, false
	}
	it := q.items[0]
	q.items[0] = item{}
	q.items = q.items[1:]
	q.bytes -= it.size()
	signal(q.space)
	if len(q.items) > 0 {
		signal(q.ready)
	}
	return it, true
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
