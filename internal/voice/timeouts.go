package voice

import (
	"context"
	"io"
	"time"
)

// Timeouts bound the time of an engine. Connecting to a service has its own timeouts: 3 s, and 5 s for TLS.
type Timeouts struct {
	FirstByte time.Duration // from the request to the first byte of audio. It defaults to 10 seconds.
	Idle      time.Duration // between bytes. It defaults to 5 seconds.
	Total     time.Duration // for a whole text. It defaults to 2 minutes.
}

func (t Timeouts) orDefaults() Timeouts {
	or := func(d *time.Duration, other time.Duration) {
		if *d <= 0 {
			*d = other
		}
	}
	or(&t.FirstByte, 10*time.Second)
	or(&t.Idle, 5*time.Second)
	or(&t.Total, 2*time.Minute)
	return t
}

// watch cancels its context when no audio arrives for too long.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	total  *time.Timer
	next   *time.Timer
	idle   time.Duration
}

// watch starts the timers for the first byte and the whole text.
func (t Timeouts) watch(ctx context.Context) *watch {
	t = t.orDefaults()
	w := &watch{idle: t.Idle}
	w.ctx, w.cancel = context.WithCancelCause(ctx)
	w.total = w.after(t.Total, "it was not done")
	w.next = w.after(t.FirstByte, "no audio")
	return w
}

func (w *watch) after(d time.Duration, what string) *time.Timer {
	return time.AfterFunc(d, func() { w.cancel(&TimeoutError{what, d}) })
}

// received restarts the idle timer. Only one goroutine may call it.
func (w *watch) received() {
	w.next.Stop()
	w.next = w.after(w.idle, "no more audio")
}

// stop cancels the context and stops the timers.
func (w *watch) stop() {
	w.next.Stop()
	w.total.Stop()
	w.cancel(context.Canceled)
}

// reason returns why the context ended, or err if it has not.
func (w *watch) reason(err error) error {
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	return err
}

// timed reads from r and restarts the idle timer of w.
type timed struct {
	r io.Reader
	w *watch
}

func (t timed) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		t.w.received()
	}
	return n, err
}
