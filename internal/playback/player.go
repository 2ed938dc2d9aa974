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
	// maxAhead is the most a Player sends ahead of what is heard.
	maxAhead = 2 * time.Second
)

// A Config says how a Player plays. Only Line is needed.
type Config struct {
	Line Line
	// Queue is how many items may wait or play. It defaults to DefaultQueue.
	Queue int
	// Ahead is how far audio is sent ahead of what is heard, at most 2 seconds. It defaults to DefaultAhead.
	Ahead time.Duration
	// EchoLoss is how much weaker than what the caller hears an echo of it is at least, in dB. Speech of the caller
	// is noticed down to that level, more or less: a small value makes him shout, a large one takes echoes for him. It
	// defaults to DefaultEchoLoss.
	EchoLoss float64
	// Finished, when set, is called exactly once for each item that Enqueue took, in order, from a goroutine of
	// the player. It may call the player's methods except Close and Idle. While it runs, nothing is sent.
	Finished func(Result)
	// Panicked, when set, is called when a goroutine of the player or a Source panicked, with the value and the stack. The
	// item fails, or all of them. Without it the panic goes on.
	Panicked func(value any, stack []byte)
}

// A Player plays items on one line. Its methods may be called concurrently, except Heard, which has one caller.
type Player struct {
	c    Config
	wake chan struct{} // something changed: see run
	work sync.WaitGroup

	audible atomic.Bool // the line plays something that the caller's speech may interrupt
	ears    ears        // Heard's own

	mu       sync.Mutex // guards the rest; never held while anything is sent or called
	running  bool
	closed   bool
	failed   error    // ErrLine, with the line's
	items    []*entry // in order, from the one that is heard to the last that waits
	clock    *clock
	link     link
	marks    map[string]mark // asked for and not come back
	names    int
	asked    time.Time // when the first mark left
	answered bool      // a mark has come back
	marked   int64     // place of the last mark
	probed   time.Time // when the last probe left
	clearing bool      // a clear has to be sent
	settling *settling
	last     *entry     // that was enqueued
	stopped  []*entry   // whose Sources have to be closed
	over     []finished // to be told
	sound    sound
}

// A mark is one that the carrier shall echo.
type mark struct {
	pos   int64
	probe bool      // nothing was to be played before it: it comes back at once
	ack   int       // it follows this clear
	at    time.Time // when it left
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
	p.ears = newEars(c.EchoLoss)
	return p
}

// Enqueue plays an item behind those before it. When it returns an error, ErrFull, ErrClosed or
// ErrLine, the item was not taken, and the Source is still the caller's to close.
func (p *Player) Enqueue(it Item) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return ErrClosed
	case p.failed != nil:
		return p.failed
	case len(p.items) >= p.c.Queue || p.settling != nil && len(p.settling.items) > p.c.Queue:
		return fmt.Errorf("%w: %d items wait", ErrFull, len(p.items))
	}
	p.last = &entry{Item: it, done: make(chan struct{})}
	p.items = append(p.items, p.last)
	p.start()
	return nil
}

// start lets run look at what has changed.
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

// Mark takes the carrier's echo of a mark. Unknown and repeated ones are harmless.
func (p *Player) Mark(name string) {
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.settling != nil && p.settling.echo(name, now) {
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

// Interrupt stops playback because of something the caller did, BySpeech or ByDTMF, and tells whether there was
// something to stop. It returns at once; the clear is on its way to the carrier.
//
// What is heard decides: when that item is interruptible, it and all interruptible ones behind it go; others behind it
// are played from their beginning. When it is not, everything stays.
func (p *Player) Interrupt(by string) bool { return p.stop(by, false) }

// Clear stops everything, also what is not interruptible.
func (p *Player) Clear() bool { return p.stop(ByClear, true) }

// Playing tells whether the caller hears something, or will hear something that was enqueued.
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
	case <-last.done: // and so are those before it
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close stops everything without a word to the carrier: to silence a call that goes on, Clear first. It
// returns when Finished has been called for each item. A write that is under way is waited for, so end the line
// first.
func (p *Player) Close() error {
	p.mu.Lock()
	p.closed = true
	if p.running {
		p.nudge()
	}
	for _, e := range p.items {
		e.halt()
	}
	p.mu.Unlock()
	p.work.Wait()
	return nil
}
