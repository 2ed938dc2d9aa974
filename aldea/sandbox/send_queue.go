package sandbox

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Limits of the queued messages of one connection; above them the stream ends.
const (
	maxQueued      = 10000
	maxQueuedBytes = 16 << 20
)

// errWithheld means that the queue of a connection is full.
var errWithheld = errors.New("too many messages withheld")

// A queuedMessage is a message that is not sent yet.
type queuedMessage struct {
	due     time.Time
	at      time.Duration // amount of audio at the time of its creation
	message string
}

// A sendQueue delays messages and keeps them in order.
type sendQueue struct {
	latency, jitter, burst time.Duration
	random                 *rand.Rand
	began                  time.Time // bursts are counted from here
	withheld               bool      // no message is due

	queued []queuedMessage // oldest first
	bytes  int
}

func newSendQueue(f *Fault, random *rand.Rand) sendQueue {
	return sendQueue{latency: f.Latency, jitter: f.Jitter, burst: f.Burst, random: random, began: time.Now()}
}

// add queues a message.
func (o *sendQueue) add(at time.Duration, message string) error {
	if len(o.queued) >= maxQueued || o.bytes+len(message) > maxQueuedBytes {
		return errWithheld
	}
	o.queued = append(o.queued, queuedMessage{o.due(time.Now()), at, message})
	o.bytes += len(message)
	return nil
}

// due returns the time when a message added now is sent.
func (o *sendQueue) due(now time.Time) time.Time {
	due := now.Add(o.latency)
	if o.jitter > 0 {
		due = due.Add(time.Duration(o.random.Int64N(int64(o.jitter) + 1)))
	}
	if o.burst > 0 {
		bursts := (due.Sub(o.began) + o.burst - 1) / o.burst
		due = o.began.Add(bursts * o.burst)
	}
	if n := len(o.queued); n > 0 && o.queued[n-1].due.After(due) {
		due = o.queued[n-1].due
	}
	return due
}

// take returns the oldest message if it is due.
func (o *sendQueue) take() (queuedMessage, bool) {
	if o.withheld || len(o.queued) == 0 || time.Until(o.queued[0].due) > 0 {
		return queuedMessage{}, false
	}
	p := o.queued[0]
	o.queued[0] = queuedMessage{}
	o.queued = o.queued[1:]
	o.bytes -= len(p.message)
	return p, true
}

// next returns the time when the oldest message is due, or a zero time if there is none or messages are withheld.
func (o *sendQueue) next() time.Time {
	if o.withheld || len(o.queued) == 0 {
		return time.Time{}
	}
	return o.queued[0].due
}

// release ends all delays, for queued and later messages.
func (o *sendQueue) release() {
	o.latency, o.jitter, o.burst, o.withheld = 0, 0, 0, false
	for i := range o.queued {
		o.queued[i].due = time.Time{}
	}
}
