package sandbox

import (
	"errors"
	"math/rand/v2"
	"time"
)

// Limits of what waits to be sent on one connection; beyond them the stream ends.
const (
	maxParcels     = 10000
	maxParcelBytes = 16 << 20
)

// errWithheld means that more was withheld than a connection may keep.
var errWithheld = errors.New("too many messages withheld")

// A parcel is a message that is not due yet.
type parcel struct {
	due     time.Time
	at      time.Duration // of audio, when it was written
	message string
}

// An outbox delays messages and keeps them in order.
type outbox struct {
	latency, jitter, burst time.Duration
	random                 *rand.Rand
	began                  time.Time // bursts are counted from here
	held                   bool      // nothing leaves

	parcels []parcel // oldest first
	bytes   int
}

func newOutbox(f *Fault, random *rand.Rand) outbox {
	return outbox{latency: f.Latency, jitter: f.Jitter, burst: f.Burst, random: random, began: time.Now()}
}

// add takes a message.
func (o *outbox) add(at time.Duration, message string) error {
	if len(o.parcels) >= maxParcels || o.bytes+len(message) > maxParcelBytes {
		return errWithheld
	}
	o.parcels = append(o.parcels, parcel{o.due(time.Now()), at, message})
	o.bytes += len(message)
	return nil
}

// due is when a message that was written now leaves.
func (o *outbox) due(now time.Time) time.Time {
	due := now.Add(o.latency)
	if o.jitter > 0 {
		due = due.Add(time.Duration(o.random.Int64N(int64(o.jitter) + 1)))
	}
	if o.burst > 0 {
		bursts := (due.Sub(o.began) + o.burst - 1) / o.burst
		due = o.began.Add(bursts * o.burst)
	}
	if n := len(o.parcels); n > 0 && o.parcels[n-1].due.After(due) {
		due = o.parcels[n-1].due
	}
	return due
}

// take returns the oldest message if it is due.
func (o *outbox) take() (parcel, bool) {
	if o.held || len(o.parcels) == 0 || time.Until(o.parcels[0].due) > 0 {
		return parcel{}, false
	}
	p := o.parcels[0]
	o.parcels[0] = parcel{}
	o.parcels = o.parcels[1:]
	o.bytes -= len(p.message)
	return p, true
}

// next is when the oldest message is due; a zero time means that nothing waits for the clock.
func (o *outbox) next() time.Time {
	if o.held || len(o.parcels) == 0 {
		return time.Time{}
	}
	return o.parcels[0].due
}

// release lets everything leave, now and later.
func (o *outbox) release() {
	o.latency, o.jitter, o.burst, o.held = 0, 0, 0, false
	for i := range o.parcels {
		o.parcels[i].due = time.Time{}
	}
}
