package call

import (
	"sync"
	"time"

	"aldeabridge/events"
)

const (
	// failureBurst is how many action.failed events a stream can have at once: one for each action that can wait.
	failureBurst = maxActions
	// failureEvery is the time after which it can have one more. A webhook that answers each action.failed with another action
	// that fails would otherwise fill the journal as fast as it answers.
	failureEvery = 200 * time.Millisecond
)

// A failureLimit bounds the action.failed events of a stream. The zero value has all of its burst.
type failureLimit struct {
	mu   sync.Mutex
	used int       // of the burst
	at   time.Time // when used was last true
	full bool      // an event was not sent since there was last room
}

// take says whether an event may be sent now, and whether it is the first that may not.
func (l *failureLimit) take(now time.Time) (ok, first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	freed := min(int(now.Sub(l.at)/failureEvery), l.used)
	l.used, l.at = l.used-freed, l.at.Add(time.Duration(freed)*failureEvery)
	if l.used == 0 {
		l.at = now
	}
	if l.used >= failureBurst {
		first, l.full = !l.full, true
		return false, first
	}
	l.used++
	l.full = l.full && l.used == failureBurst
	return true, false
}

// fail tells of an action that was not done, if the stream has not had too many of those.
func (c *Call) fail(failed events.ActionFailed) {
	now := time.Now()
	ok, first := c.failures.take(now)
	if ok {
		c.put(now, failed)
		return
	}
	c.calls.untold.Add(1)
	if first {
		c.logger.Error("action.failed events not sent: too many in a short time. Does the webhook answer each with an action that fails?",
			"most_at_once", failureBurst, "then_one_every", failureEvery)
	}
}
