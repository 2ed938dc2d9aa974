package control

import (
	"context"
	"sync"
)

// callLocks has a lock for each call, so that its updates are sent one at a time. The zero value is ready for use.
type callLocks struct {
	mu    sync.Mutex
	locks map[string]*callLock // by call id, while held or awaited
}

// callLock is a semaphore of one; waiters are served in order.
type callLock struct {
	held  chan struct{} // has a value while the lock is held
	users int           // the holder and the waiters; guarded by callLocks.mu
}

// lock waits for the call's lock, or returns false if ctx ends first. The caller releases the lock with unlock.
func (c *callLocks) lock(ctx context.Context, callID string) (unlock func(), ok bool) {
	c.mu.Lock()
	if c.locks == nil {
		c.locks = make(map[string]*callLock)
	}
	l := c.locks[callID]
	if l == nil {
		l = &callLock{held: make(chan struct{}, 1)}
		c.locks[callID] = l
	}
	l.users++
	c.mu.Unlock()
	unlock = func() { <-l.held; c.release(callID, l) }
	select {
	case l.held <- struct{}{}: // a free lock is taken even if ctx has ended
		return unlock, true
	default:
	}
	select {
	case l.held <- struct{}{}:
		return unlock, true
	case <-ctx.Done():
		c.release(callID, l)
		return nil, false
	}
}

// release removes a user, and the lock after its last user.
func (c *callLocks) release(callID string, l *callLock) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.users--; l.users == 0 {
		delete(c.locks, callID)
	}
}
