package webhooks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"aldeabridge/events"
)

// A Dispatcher delivers the events of a journal to endpoints. Its methods may be called concurrently.
type Dispatcher struct {
	config    Config
	receivers []*receiver

	mu      sync.Mutex // guards the fields below
	started bool
	stopped bool
	read    int64         // position of the newest event that every receiver has accepted
	changed chan struct{} // closed at the next change; nil while no goroutine waits
}

// ErrStopped means that Run has returned or was already called.
var ErrStopped = errors.New("webhooks: dispatcher stopped")

// New returns a Dispatcher. Its error names the field of c that is invalid, and holds neither secrets nor URLs; it
// may wrap ErrSecret or egress.ErrURL. Nothing is sent before Run.
func New(c Config) (*Dispatcher, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	d := &Dispatcher{read: c.After, config: c}
	for _, e := range c.Endpoints {
		r, err := newReceiver(c, e)
		if err != nil {
			return nil, fmt.Errorf("webhooks: endpoint %s: %w", e.Name, err)
		}
		r.settled = d.signal
		d.receivers = append(d.receivers, r)
	}
	return d, nil
}

// Run delivers until ctx ends, and returns nil when all its goroutines have ended. Attempts under way are canceled
// then: call Drain first to let them end. Failures of the journal are logged and retried. A second call returns
// ErrStopped.
func (d *Dispatcher) Run(ctx context.Context) error {
	d.mu.Lock()
	if d.started {
		d.mu.Unlock()
		return ErrStopped
	}
	d.started = true
	d.mu.Unlock()
	for _, r := range d.receivers {
		r.start(ctx)
	}
	d.follow(ctx)
	d.stop()
	return nil
}

// stop ends all receivers.
func (d *Dispatcher) stop() {
	for _, r := range d.receivers {
		if n := r.stop(); n > 0 {
			d.config.Logger.Error("webhook events not delivered at shutdown", "endpoint", r.name(), "events", n)
		}
	}
	d.mu.Lock()
	d.stopped = true
	d.mu.Unlock()
	d.signal()
}

const (
	// readBatch is the maximum number of records of one Read.
	readBatch = 256
	// The delay after a failed Read doubles between these bounds.
	minReadRetry = 100 * time.Millisecond
	maxReadRetry = 5 * time.Second
)

// follow passes the journal's events to the receivers until ctx ends.
func (d *Dispatcher) follow(ctx context.Context) {
	retry := minReadRetry
	position := d.config.After
	for ctx.Err() == nil {
		records, err := d.config.Journal.Read(ctx, position, readBatch)
		for _, record := range records {
			d.dispatch(record)
			position = record.Position
		}
		if len(records) > 0 {
			retry = minReadRetry
			continue
		}
		if ctx.Err() != nil {
			return
		}
		d.config.Logger.Error("webhook journal cannot be read", "after", position, "error", err, "retry_in", retry)
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
		retry = min(2*retry, maxReadRetry)
	}
}

// dispatch passes one event to every receiver.
func (d *Dispatcher) dispatch(record events.Record) {
	for _, r := range d.receivers {
		r.accept(record)
	}
	d.mu.Lock()
	d.read = record.Position
	d.mu.Unlock()
	d.signal()
}
