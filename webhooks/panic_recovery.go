package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"
)

// errPanicked replaces the value of a panic, which may contain text of the call or of the endpoint.
var errPanicked = errors.New("webhooks: internal error")

// catch calls f and returns errPanicked if f panics. It logs the type of the panic and the stack.
func catch(logger *slog.Logger, during string, f func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			logger.Error("webhook delivery panicked", "during", during, "panic_type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
			err = errPanicked
		}
	}()
	return f()
}

// fail counts an attempt that panicked as failed: the lane backs off by its schedule.
func (r *receiver) fail(ctx context.Context, l *lane) error {
	r.mu.Lock()
	now := time.Now()
	l.ended, l.failing = now, true
	l.attempts++
	head := l.queue[0]
	delay, reason := l.step(outcome{verdict: failed, end: now})
	r.mu.Unlock()
	d := decision{delay: delay}
	if reason != "" {
		if d.state = reason.State(); head.redelivery == nil {
			r.settle(ctx, head.record, d.state)
		}
	}
	r.advance(l, d)
	if d.state != "" {
		r.settled()
	}
	return nil
}

// callBack calls a function of Config. A panic in it does not change the outcome of the attempt.
func (r *receiver) callBack(during string, f func()) {
	_ = catch(r.log, during, func() error { f(); return nil })
}

// locked calls f with mu held, for a timer. It returns errPanicked if f panics.
func (r *receiver) locked(during string, f func()) error {
	return catch(r.log, during, func() error {
		r.mu.Lock()
		defer r.mu.Unlock()
		f()
		return nil
	})
}
