package sandbox

import (
	"context"
	"sync"
	"time"
)

// An item is one thing the reader found, in the order it came.
type item struct {
	audio   []byte // a binary frame, if it had bytes
	control control
	text    string // of a bad text frame
	at      time.Time
}

// size is what an item takes in the queue: a flood of tiny frames must fill it, too.
func (it item) size() int { return len(it.audio) + 64 }

// control is what a frame without audio asks for.
type control int

const (
	noControl control = iota
	keepAlive
	finalize
	closeStream
	emptyFrame
	badText
	idle // not from the client: it was silent for too long
)

// A queue carries items from the reader to the worker. It is bounded by bytes, so that a slow
// recognizer can not make it grow without end; a full queue lets the reader wait.
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

// push adds an item, waiting while the queue is full.
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
