package logguard

import (
	"context"
	"log/slog"
	"time"
)

// A Handler is a slog.Handler that bounds the rate, the size and the text of lines. Make it with New. It is safe for
// concurrent use if the handler it wraps is.
type Handler struct {
	inner   slog.Handler
	limiter *limiter // shared with the handlers that WithAttrs and WithGroup return
}

// New returns a Handler that writes to inner.
func New(inner slog.Handler) *Handler {
	l := &limiter{kinds: make(map[kind]*bucket)}
	l.write = func(ctx context.Context, r slog.Record) {
		_ = inner.Handle(ctx, r) // as with every line: there is no other place to report it
	}
	return &Handler{inner: inner, limiter: l}
}

// Enabled reports whether the wrapped handler writes lines of a level.
func (h *Handler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.inner.Enabled(ctx, level)
}

// Handle writes a line with safe attributes, or counts it.
func (h *Handler) Handle(ctx context.Context, r slog.Record) error {
	message := clean(r.Message, maxValue)
	if !h.limiter.allow(time.Now(), kind{r.Level, message}) {
		return nil
	}
	line := slog.NewRecord(r.Time, r.Level, message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		line.AddAttrs(safe(a))
		return true
	})
	return h.inner.Handle(ctx, line)
}

// WithAttrs returns a handler whose lines have the attributes. It shares the limits of h.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{inner: h.inner.WithAttrs(safeAll(attrs)), limiter: h.limiter}
}

// WithGroup returns a handler that puts attributes into a group. It shares the limits of h.
func (h *Handler) WithGroup(name string) slog.Handler {
	return &Handler{inner: h.inner.WithGroup(name), limiter: h.limiter}
}

// Suppressed returns how many lines were not written so far.
func (h *Handler) Suppressed() int64 { return h.limiter.total.Load() }

// Flush reports the lines that were suppressed since the last report. Call it before the program ends.
func (h *Handler) Flush() { h.limiter.flush() }
