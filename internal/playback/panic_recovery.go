package playback

import (
	"errors"
	"runtime/debug"
)

// ErrPanicked means that a goroutine of the player, or the Source of an item, panicked.
var ErrPanicked = errors.New("playback: a fault in the server")

// recovered reports a panic of the goroutine that defers it, then calls fail with ErrPanicked. It must be deferred directly.
func (p *Player) recovered(fail func(error)) {
	v := recover()
	if v == nil {
		return
	}
	if p.c.Panicked == nil {
		panic(v)
	}
	p.c.Panicked(v, debug.Stack())
	fail(ErrPanicked)
}

// failAll ends all items with err, in a new run. If that panics too, the items stay without a result.
func (p *Player) failAll(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = false
	if errors.Is(p.failed, err) {
		return
	}
	p.failed = err
	p.start()
}
