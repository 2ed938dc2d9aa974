package call

import (
	"strings"
	"sync"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
)

// gatherer collects the digits of a listen action. Its timer is stopped while audio plays: the caller has not heard the
// prompt yet.
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

// begin starts a new collection and ends the one before.
func (g *gatherer) begin(id string, want actions.Gather) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active {
		g.done(events.GatherReplaced, g.now())
	}
	g.active, g.id, g.want = true, id, want
	g.arm()
}

// press adds a key that was pressed at a time of the call.
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

// resetTimer restarts the timer, or stops it while audio plays.
func (g *gatherer) resetTimer() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active {
		g.arm()
	}
}

// finish ends the collection at the end of the stream.
func (g *gatherer) finish() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.active {
		g.done(events.GatherCallEnd, g.now())
	}
}

// arm starts the timer, or stops it while audio plays. The caller holds mu.
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
	if g.active && !g.call.playing() && !time.Now().Before(g.due) { // otherwise a key or audio has just reset the timer
		g.done(events.GatherTimeout, g.now())
	}
}

// now returns the time since the call began.
func (g *gatherer) now() time.Duration { return time.Since(g.call.shared.began) }

// done emits the digits and what ended the collection, at a time of the call. The caller holds mu.
func (g *gatherer) done(by events.GatherEnd, at time.Duration) {
	g.timer.Stop()
	g.call.put(time.Now(), events.DigitsGathered{
		ActionID: g.id, Digits: g.digits.String(), EndedBy: by, At: events.Offset(at),
	})
	g.active = false
	g.digits.Reset()
}
