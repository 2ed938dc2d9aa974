package voice

import (
	"context"
	"io"
	"time"
)

// Timeouts say how long an engine may take. A connection to a service has its own: 3 s, and 5 s for TLS.
type Timeouts struct {
	FirstByte time.Duration // from the request to the first byte of audio. It defaults to 10 seconds.
	Idle      time.Duration // between bytes. It defaults to 5 seconds.
	Total     time.Duration // for all of a text. It defaults to 2 minutes.
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

// A watch ends its context when nothing comes for too long.
type watch struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	total  *time.Timer
	next   *time.Timer
	idle   time.Duration
}

// watch begins to wait for the first byte.
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

// heard is told that something came. One goroutine calls it.
func (w *watch) heard() {
	w.next.Stop()
	w.next = w.after(w.idle, "no more audio")
}

// stop ends the context and all waiting.
func (w *watch) stop() {
	w.next.Stop()
	w.total.Stop()
	w.cancel(context.Canceled)
}

// reason is why something failed: err, or why the context ended before.
func (w *watch) reason(err error) error {
	if cause := context.Cause(w.ctx); cause != nil {
		return cause
	}
	return err
}

// timed is what is read from r while a watch looks on.
type timed struct {
	r io.Reader
	w *watch
}

func (t timed) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 {
		t.w.heard()
	}
	return n, err
}
