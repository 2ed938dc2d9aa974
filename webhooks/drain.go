package webhooks

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// quiet is how long the journal must have nothing new for Drain to believe that all has been read. Read
// returns what is there at once, so any time will do that a loaded machine needs to wake a goroutine.
const quiet = 50 * time.Millisecond

// Drain waits until every event in the journal is settled at every endpoint: those appended before Drain was
// called, and those that are appended while it waits for them. It returns an error that wraps that of ctx
// when ctx ends first, and ErrStopped when Run ended and left something behind. Events for an endpoint that
// is down can take 27 hours: give ctx a deadline.
func (d *Dispatcher) Drain(ctx context.Context) error {
	for {
		// Taken before looking, so that no change is missed between looking and waiting.
		changed := d.watch()
		position, stopped := d.state()
		done := d.settledTo(position)
		if done {
			more, err := d.peek(ctx, position)
			if err != nil || !more {
				return err
			}
		}
		if stopped {
			return ErrStopped
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return fmt.Errorf("webhooks: drain: %w", ctx.Err())
		}
	}
}

// watch returns a channel that is closed at the next signal.
func (d *Dispatcher) watch() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.changed
}

// signal wakes those who watch.
func (d *Dispatcher) signal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// state returns how far the journal has been read, and whether Run is over.
func (d *Dispatcher) state() (read int64, stopped bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.read, d.stopped
}

// settledTo says whether every event up to a position is settled everywhere.
func (d *Dispatcher) settledTo(position int64) bool {
	for _, r := range d.receivers {
		if !r.settledTo(position) {
			return false
		}
	}
	return true
}

// peek says whether the journal has an event after position.
func (d *Dispatcher) peek(ctx context.Context, position int64) (bool, error) {
	short, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	records, err := d.config.Journal.Read(short, position, 1)
	switch {
	case len(records) > 0:
		return true, nil
	case ctx.Err() != nil:
		return false, fmt.Errorf("webhooks: drain: %w", ctx.Err())
	case err != nil && !errors.Is(err, context.DeadlineExceeded):
		return false, fmt.Errorf("webhooks: drain: %w", err)
	}
	return false, nil
}
