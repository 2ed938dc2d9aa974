package webhooks

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// quiet is how long Drain waits for a new event in the journal before it concludes that all have been read. Read
// returns existing records at once, so the time only has to cover the scheduling delay of a loaded machine.
const quiet = 50 * time.Millisecond

// Drain waits until every event in the journal is settled at every endpoint, including events appended while it
// waits. It returns an error that wraps that of ctx when ctx ends first, and ErrStopped when Run ended with unsettled
// events. Events for an endpoint that is down can take 27 hours: give ctx a deadline.
func (d *Dispatcher) Drain(ctx context.Context) error {
	for {
		// Subscribe before checking, so that no change is missed.
		changed := d.changes()
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

// changes returns a channel that is closed at the next signal.
func (d *Dispatcher) changes() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed == nil {
		d.changed = make(chan struct{})
	}
	return d.changed
}

// signal closes the channel that changes returned.
func (d *Dispatcher) signal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.changed != nil {
		close(d.changed)
		d.changed = nil
	}
}

// state returns how far the journal has been read, and whether Run has returned.
func (d *Dispatcher) state() (read int64, stopped bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.read, d.stopped
}

// settledTo reports whether every event up to a position is settled at every endpoint.
func (d *Dispatcher) settledTo(position int64) bool {
	for _, r := range d.receivers {
		if !r.settledTo(position) {
			return false
		}
	}
	return true
}

// peek reports whether the journal has an event after position.
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
