package media

import (
	"net"
	"sync/atomic"
	"time"
)

// Most of the cost of a call is one wake-up and one system call for each frame. A ticked connection is read at ticks
// instead: all data since the last tick is read at once, and no goroutine wakes up between ticks.

// DefaultTick is the default of Server.Tick: five frames of 20 ms.
const DefaultTick = 100 * time.Millisecond

const (
	// playbackTick is the tick of a stream during playback, which the caller may interrupt: at most half a frame late.
	playbackTick = 10 * time.Millisecond
	// playoutMargin is added to the end of playout for the delay between this server and the caller.
	playoutMargin = time.Second
	// maxPerTick is the most bytes read of a stream in one tick, a hundred times as many as a carrier sends.
	maxPerTick = 256 << 10
	// tickGrid aligns the ticks of all streams, so that many streams share one wake-up of the process.
	tickGrid = 10 * time.Millisecond
)

// zero is the origin of ticks and deadlines of all streams. It has a monotonic clock reading, so that setting the wall
// clock does not move them.
var zero = time.Now()

// Listener returns a listener for the app that the server is registered with. On Linux the streams that it
// accepts are read every Server.Tick rather than as each message arrives. That takes a fraction of the CPU time and delays
// a message by at most Tick. During playout of audio sent with SendMedia a stream is read every 10 ms, so that an
// interruption is not delayed. Other requests, and connections that are not plain TCP, are not affected.
func (s *Server) Listener(l net.Listener) net.Listener {
	if s.Tick < 0 {
		return l
	}
	return tickedListener(l)
}

// A ticker is a connection that can be read at ticks.
type ticker interface {
	// tick switches to reading at ticks. Before each tick the reader calls next, which returns the time since the last
	// tick. Only the reader may call tick.
	tick(next func() time.Duration) error
	// sleep waits for the next tick, or returns at once if the last poll left data.
	sleep()
	// poll reads the available data without waiting. It returns 0 and no error if there is none.
	poll(b []byte) (int, error)
}

// startTicks switches the stream to reading at ticks if its connection supports that.
func (st *Stream) startTicks() {
	t, ok := st.ws.(interface {
		tick(next func() time.Duration) error
	})
	if !ok || t.tick(st.wait) != nil { // each message is read as it arrives
		return
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	st.line.lag = st.limits.tick
	st.ticks = true
}

// flushPending passes the audio of the last tick to the receiver.
func (st *Stream) flushPending() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.flushAudio()
}

// wait is called before the reader sleeps until its next tick. It returns the time between the last tick and the next.
func (st *Stream) wait() time.Duration {
	st.flushPending()
	if st.out.playout.at(time.Now()) {
		return min(st.limits.tick, playbackTick)
	}
	return st.limits.tick
}

// A playout is the time when all audio sent to the caller has been played, in nanoseconds since 1970. Methods may be called
// concurrently.
type playout struct{ until atomic.Int64 }

// add adds n samples that were sent.
func (p *playout) add(n int, now time.Time) {
	for {
		old := p.until.Load()
		if p.until.CompareAndSwap(old, max(old, now.UnixNano())+int64(duration(int64(n)))) {
			return
		}
	}
}

// clear removes the audio that is not played yet.
func (p *playout) clear(now time.Time) { p.until.Store(min(p.until.Load(), now.UnixNano())) }

// at reports whether audio may still be playing.
func (p *playout) at(now time.Time) bool {
	return now.UnixNano() < p.until.Load()+int64(playoutMargin)
}

// A pace computes the times of ticks.
type pace struct {
	zero time.Time // of the grid
	last time.Duration
}

// next returns how long to sleep until the tick that is due after the last one. If that tick has passed, it is the next
// one on the grid.
func (p *pace) next(after time.Duration) time.Duration {
	now := time.Since(p.zero)
	at := p.last + max(after, tickGrid)/tickGrid*tickGrid
	if at <= now || p.last == 0 {
		at = (now/tickGrid + 1) * tickGrid
	}
	p.last = at
	return at - now
}
