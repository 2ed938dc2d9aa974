package control

import (
	"context"
	"sync"
)

// turns sees to it that a call is updated by one at a time. The zero value is ready for use.
type turns struct {
	mu    sync.Mutex
	calls map[string]*turn // those that somebody updates or waits for
}

// A turn is whose it is to update a call.
type turn struct {
	taken chan struct{} // holds one while somebody has it; who waits, waits in order
	users int           // who has it and who waits; guarded by turns.mu
}

// take waits until nobody else updates the call, or returns false when the context ends first. The caller gives the turn
// back with leave.
func (t *turns) take(ctx context.Context, callID string) (leave func(), ok bool) {
	t.mu.Lock()
	if t.calls == nil {
		t.calls = make(map[string]*turn)
	}
	mine := t.calls[callID]
	if mine == nil {
		mine = &turn{taken: make(chan struct{}, 1)}
		t.calls[callID] = mine
	}
	mine.users++
	t.mu.Unlock()
	leave = func() { <-mine.taken; t.done(callID, mine) }
	select {
	case mine.taken <- struct{}{}: // at once, whatever the context says
		return leave, true
	default:
	}
	select {
	case mine.taken <- struct{}{}:
		return leave, true
	case <-ctx.Done():
		t.done(callID, mine)
		return nil, false
	}
}

// done forgets a turn that nobody uses.
func (t *turns) done(callID string, one *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if one.users--; one.users == 0 {
		delete(t.calls, callID)
	}
}
