package media

import (
	"net"
	"sync/atomic"
	"time"
)

// Most of what a call costs is waking up and asking the kernel, for each frame anew. A ticked connection is read at
// ticks instead: what has come in since the last one is read at once, and nothing wakes up in between.

// DefaultTick is what Server.Tick is by default: five frames of 20 ms at a time.
const DefaultTick = 100 * time.Millisecond

const (
	// playbackTick is how often a stream is read while the caller hears something from us and may interrupt it: half a
	// frame late at most.
	playbackTick = 10 * time.Millisecond
	// playoutMargin is how much later than it was sent the caller may hear the end of it.
	playoutMargin = time.Second
	// maxPerTick is how many bytes are read of a stream at a tick, a hundred times as many as a carrier sends.
	maxPerTick = 256 << 10
	// tickGrid is what all ticks of all streams are multiples of, so that many share one wake-up of the process.
	tickGrid = 10 * time.Millisecond
)

// zero is a moment to count from, the same for all streams of the process. It has a monotonic reading: a wall clock that
// is set moves neither ticks nor deadlines.
var zero = time.Now()

// Listener returns a listener for the app that the server is registered with. Where the system allows it (Linux), the
// streams that come through it are read at ticks, every Server.Tick, rather than as each message arrives: that
// takes a fraction of the processor time and delays a message by Tick at most. While audio that was sent with SendMedia
// plays, a stream is read every 10 ms, so that an interruption is not delayed. Other requests notice nothing, and neither
// do connections that are not plain TCP.
func (s *Server) Listener(l net.Listener) net.Listener {
	if s.Tick < 0 {
		return l
	}
	return tickedListener(l)
}

// A ticker is a connection that can be read at ticks.
type ticker interface {
	// tick makes Read wait for the next tick each time, from now on; next is called right before, and says how long after
	// the last that is. Only the reader may call it.
	tick(next func() time.Duration) error
	// sleep waits for the next tick, unless the last poll left something.
	sleep()
	// poll reads what has come, and returns 0 and no error if nothing has.
	poll(b []byte) (int, error)
}

// startTicks makes the stream be read at ticks if its connection can.
func (st *Stream) startTicks() {
	t, ok := st.ws.(interface {
		tick(next func() time.Duration) error
	})
	if !ok || t.tick(st.wait) != nil { // then it is read as before
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.line.lag = st.limits.tick
	st.ticks = true
}

// flushPending tells the receiver of all that came at the last tick.
func (st *Stream) flushPending() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.flushAudio()
}

// wait is called before the reader waits for its next tick, and says how long after the last that is.
func (st *Stream) wait() time.Duration {
	st.flushPending()
	if st.out.playout.at(time.Now()) {
		return min(st.limits.tick, playbackTick)
	}
	return st.limits.tick
}

// A playout is when the caller has heard all that was sent to him, in nanoseconds since 1970. Methods may be called
// concurrently.
type playout struct{ until atomic.Int64 }

// add notes that n more samples were sent.
func (p *playout) add(n int, now time.Time) {
	for {
		old := p.until.Load()
		if p.until.CompareAndSwap(old, max(old, now.UnixNano())+int64(duration(int64(n)))) {
			return
		}
	}
}

// clear notes that the rest was taken back.
func (p *playout) clear(now time.Time) { p.until.Store(min(p.until.Load(), now.UnixNano())) }

// at tells whether the caller may still hear something.
func (p *playout) at(now time.Time) bool {
	return now.UnixNano() < p.until.Load()+int64(playoutMargin)
}

// A pace says when the next tick is.
type pace struct {
	zero time.Time // of the grid
	last time.Duration
}

// next returns how long to sleep for a tick that comes so much after the last one. When that one is over already the next
// on the grid counts.
func (p *pace) next(after time.Duration) time.Duration {
	now := time.Since(p.zero)
	at := p.last + max(after, tickGrid)/tickGrid*tickGrid
	if at <= now || p.last == 0 {
		at = (now/tickGrid + 1) * tickGrid
	}
	p.last = at
	return at - now
}
