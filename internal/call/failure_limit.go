package call

import (
	"sync"
	"time"

	"aldeabridge/events"
)

const (
	// failureBurst is the most action.failed events of a stream at once: one for each action that can wait.
	failureBurst = maxActions
	// failureEvery is the interval after which one more is allowed. A webhook that answers each action.failed with another action
	// that fails would otherwise fill the journal as fast as it answers.
	failureEvery = 200 * time.Millisecond
)

// failureLimit limits the rate of a stream's action.failed events. The zero value allows a full burst.
type failureLimit struct {
	mu   sync.Mutex
	used int       // of the burst
	at   time.Time // when used was computed
	full bool      // an event was dropped since there was last room
}

// allow reports whether an event may be emitted now, and otherwise whether it is the first that is dropped.
func (l *failureLimit) allow(now time.Time) (ok, first bool) {
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

// fail emits action.failed, or counts it if the stream exceeds the limit.
func (c *Call) fail(failed events.ActionFailed) {
	now := time.Now()
	ok, first := c.failures.allow(now)
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
