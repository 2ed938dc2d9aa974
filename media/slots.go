package media

import (
	"context"
	"sync"
	"time"
)

// slots counts and limits the streams of a server, including those whose upgrade is in progress. The zero value is ready
// for use.
type slots struct {
	mu     sync.Mutex
	n      int
	closed bool
	empty  chan struct{} // closed when n is 0 after close; made by close
}

// claimWait is the most time between an upgrade and the start of its handler.
const claimWait = 10 * time.Second

// A slot is the reservation of one stream. It is taken before the upgrade, so that a full server can answer with an HTTP
// error, and claimed by the handler after it. The library does not report an upgrade that fails between the two, so a slot that
// is not claimed within claimWait is freed.
type slot struct {
	of    *slots
	timer *time.Timer

	mu      sync.Mutex
	claimed bool
	freed   bool
}

// take reserves a slot if fewer than most are in use and the slots are not closed.
func (s *slots) take(most int) (sl *slot, full, closed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, false, true
	}
	if s.n >= most {
		return nil, true, false
	}
	s.n++
	sl = &slot{of: s}
	sl.mu.Lock()
	sl.timer = time.AfterFunc(claimWait, sl.expire)
	sl.mu.Unlock()
	return sl, false, false
}

// claim is called by the handler, which must free the slot later. It returns false if the slot was freed already.
func (sl *slot) claim() bool {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	sl.timer.Stop()
	if sl.freed {
		return false
	}
	sl.claimed = true
	return true
}

func (sl *slot) expire() {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	if !sl.claimed {
		sl.freeLocked()
	}
}

// free releases the slot. It may be called more than once.
func (sl *slot) free() {
	sl.mu.Lock()
	defer sl.mu.Unlock()
	sl.timer.Stop()
	sl.freeLocked()
}

func (sl *slot) freeLocked() {
	if sl.freed {
		return
	}
	sl.freed = true
	s := sl.of
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n--
	if s.n == 0 && s.closed {
		close(s.empty)
	}
}

// close refuses new slots from now on.
func (s *slots) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.empty = make(chan struct{})
	if s.n == 0 {
		close(s.empty)
	}
}

// wait waits after close until every slot is free.
func (s *slots) wait(ctx context.Context) error {
	select {
	case <-s.empty:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slots) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.n
}

func (s *slots) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}
