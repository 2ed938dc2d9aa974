package playback

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of a Config.
const (
	DefaultQueue    = 64
	DefaultAhead    = 1500 * time.Millisecond
	DefaultEchoLoss = 9 // dB
	// maxAhead is the most audio that a Player sends ahead of the playout.
	maxAhead = 2 * time.Second
)

// Config configures a Player. Only Line is required.
type Config struct {
	Line Line
	// Queue is the most items that wait or play. It defaults to DefaultQueue.
	Queue int
	// Ahead is how far audio is sent ahead of the playout, at most 2 seconds. It defaults to DefaultAhead.
	Ahead time.Duration
	// EchoLoss is the minimum echo return loss, in dB. Speech is detected down to about that level below the played audio:
	// if the value is too small, quiet callers cannot interrupt; if it is too large, echoes count as speech. It defaults to
	// DefaultEchoLoss.
	EchoLoss float64
	// Finished, if not nil, is called exactly once for each enqueued item, in order, from a goroutine of the player. It may
	// call the player's methods except Close and Idle. While it runs, nothing is sent.
	Finished func(Result)
	// Panicked, if not nil, is called with the value and the stack when a goroutine of the player or a Source panicked. The
	// item fails, or all items do. If Panicked is nil, the panic is not recovered.
	Panicked func(value any, stack []byte)
}

// A Player plays items on one line. Its methods may be called concurrently, except Heard, which has one caller.
type Player struct {
	c    Config
	wake chan struct{} // gets a value when run has to look at the state
	work sync.WaitGroup

	audible      atomic.Bool  // an interruptible item plays
	echoDetector echoDetector // used by Heard only

	mu           sync.Mutex // guards the rest; not held while sending or calling back
	running      bool
	closed       bool
	failed       error    // ErrLine with the Line's error, or ErrPanicked
	items        []*entry // in order, from the one that plays
	clock        *clock
	link         link
	marks        map[string]mark // sent and not returned, by name
	names        int             // marks named so far
	asked        time.Time       // when the first mark was sent
	answered     bool            // a mark has returned
	marked       int64           // position of the last mark
	probed       time.Time       // when the last probe was sent
	clearing     bool            // a clear must be sent
	pendingClear *pendingClear
	last         *entry     // the last that was enqueued
	stopped      []*entry   // entries whose Sources must be closed
	over         []finished // results to pass to Config.Finished
	sentLevels   sentLevels
}

// mark is a mark that the carrier has not returned yet.
type mark struct {
	pos   int64
	probe bool      // sent while nothing plays: it returns at once
	ack   int       // the number of the clear that it follows; 0 for none
	at    time.Time // when it was sent
}

// New makes a Player. It has no goroutine before the first Enqueue.
func New(c Config) *Player {
	if c.Queue <= 0 {
		c.Queue = DefaultQueue
	}
	if c.Ahead <= 0 {
		c.Ahead = DefaultAhead
	}
	c.Ahead = min(c.Ahead, maxAhead)
	if c.EchoLoss <= 0 {
		c.EchoLoss = DefaultEchoLoss
	}
	p := &Player{c: c, wake: make(chan struct{}, 1), marks: map[string]mark{}}
	p.clock = &clock{link: &p.link}
	p.echoDetector = newEchoDetector(c.EchoLoss)
	return p
}

// Enqueue plays an item after those enqueued before. If it returns an error (ErrFull, ErrClosed or ErrLine), the item is
// not played and the caller must close its Source. It does not block.
func (p *Player) Enqueue(it Item) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return ErrClosed
	case p.failed != nil:
		return p.failed
	case len(p.items) >= p.c.Queue || p.pendingClear != nil && len(p.pendingClear.items) > p.c.Queue:
		return fmt.Errorf("%w: %d items wait", ErrFull, len(p.items))
	}
	p.last = &entry{Item: it, done: make(chan struct{})}
	p.items = append(p.items, p.last)
	p.start()
	return nil
}

// start starts run, or wakes it. The caller holds p.mu.
func (p *Player) start() {
	if !p.running {
		p.running = true
		p.work.Go(p.run)
	}
	p.nudge()
}

func (p *Player) nudge() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// Mark reports that the carrier returned a mark. Unknown and repeated names are ignored. It does not block.
func (p *Player) Mark(name string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pendingClear != nil && p.pendingClear.echo(name, now) {
		p.answered = true
		p.nudge()
		return
	}
	m, ok := p.marks[name]
	if !ok {
		return
	}
	p.answered = true
	delete(p.marks, name)
	if m.probe {
		p.link.echo(now.Sub(m.at))
		return
	}
	if p.clock.mark(m.pos, now) {
		for _, e := range p.items {
			e.echoed = e.echoed || e.sent && e.to() <= m.pos
		}
		p.nudge()
	}
}

// Interrupt stops playback because the caller spoke (BySpeech) or pressed a key (ByDTMF). It reports whether there was
// something to stop. It does not block; a goroutine sends the clear.
//
// If the item that the caller hears now is interruptible, Interrupt removes it and all interruptible items after it, and plays
// the other items from their beginning. Otherwise it does nothing.
func (p *Player) Interrupt(by string) bool { return p.interrupt(by, false) }

// Clear stops all items, also those that are not interruptible. It reports whether there was something to stop.
func (p *Player) Clear() bool { return p.interrupt(ByClear, true) }

// Playing reports whether an item plays or waits.
func (p *Player) Playing() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.current(time.Now()) < len(p.items)
}

// Idle waits until all items enqueued so far have been heard or stopped and Finished has returned for each.
// It returns nil then, and otherwise the context's error.
func (p *Player) Idle(ctx context.Context) error {
	p.mu.Lock()
	last := p.last
	p.mu.Unlock()
	if last == nil {
		return nil
	}
	select {
	case <-last.done: // results are in order, so the items before it are done too
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops everything and sends nothing to the carrier: to silence a call that goes on, call Clear first. It returns nil
// when Finished has been called for each item. It waits for a running call of a Line method, so end the line first.
func (p *Player) Close() error {
	p.mu.Lock()
	p.closed = true
	if p.running {
		p.nudge()
	}
	for _, e := range p.items {
		e.cancel()
	}
	p.mu.Unlock()
	p.work.Wait()
	return nil
}
