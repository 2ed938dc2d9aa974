package call

import (
	"strings"
	"sync"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
)

// A gatherer collects digits, while an action asks for it. Its time-out does not run while something is played:
// nobody knows yet what to press.
type gatherer struct {
	call *Call

	mu     sync.Mutex
	active bool
	id     string // of the action
	want   actions.Gather
	digits strings.Builder
	timer  *time.Timer
	due    time.Time // when the timer fires
}

func newGatherer(c *Call) *gatherer {
	g := &gatherer{call: c}
	g.timer = time.AfterFunc(time.Hour, g.timeout)
	g.timer.Stop()
	return g
}

// begin collects from now on. What was collected before ends.
func (g *gatherer) begin(id string, want actions.Gather) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active {
		g.done(events.GatherReplaced, g.now())
	}
	g.active, g.id, g.want = true, id, want
	g.arm()
}

// press takes a key, pressed at a time of the call.
func (g *gatherer) press(digit string, at time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	switch {
	case !g.active:
	case digit == g.want.Terminator:
		g.done(events.GatherTerminator, at)
	default:
		g.digits.WriteString(digit)
		if g.want.MaxDigits > 0 && g.digits.Len() >= g.want.MaxDigits {
			g.done(events.GatherMaxDigits, at)
			return
		}
		g.arm()
	}
}

// listen starts the time-out anew, or stops it while something is played.
func (g *gatherer) listen() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active {
		g.arm()
	}
}

// finish ends with the stream.
func (g *gatherer) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active {
		g.done(events.GatherCallEnd, g.now())
	}
}

// arm sets the timer, unless something is played. The caller holds mu.
func (g *gatherer) arm() {
	if g.call.playing() {
		g.timer.Stop()
		return
	}
	g.due = time.Now().Add(g.want.Timeout)
	g.timer.Reset(g.want.Timeout)
}

func (g *gatherer) timeout() {
	defer g.call.recovered()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active && !g.call.playing() && !time.Now().Before(g.due) { // else a key came just now, or something to play
		g.done(events.GatherTimeout, g.now())
	}
}

// now is the time of the call.
func (g *gatherer) now() time.Duration { return time.Since(g.call.life.began) }

// done tells what was collected, and what ended it at a time of the call. The caller holds mu.
func (g *gatherer) done(by events.GatherEnd, at time.Duration) {
	g.timer.Stop()
	g.call.put(time.Now(), events.DigitsGathered{
		ActionID: g.id, Digits: g.digits.String(), EndedBy: by, At: events.Offset(at),
	})
	g.active = false
	g.digits.Reset()
}
