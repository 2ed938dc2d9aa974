package logguard

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// Burst is how many lines of one kind are written at once, below WARN: two or three for each call of a busy server.
	Burst = 500
	// Rate is how many lines of one kind are written a second after that.
	Rate = 50
	// WarnBurst is Burst for WARN and ERROR. A stranger causes these.
	WarnBurst = 50
	// WarnRate is Rate for WARN and ERROR.
	WarnRate = 5
	// ReportEvery is how often the suppressed lines of a kind are reported.
	ReportEvery = 10 * time.Second
	// maxKinds bounds the memory: further kinds share one bucket for each level.
	maxKinds = 256
)

// A kind is what lines are limited by.
type kind struct {
	level   slog.Level
	message string
}

// otherMessages is the message of the kind that lines share when there are maxKinds of them.
const otherMessages = "(other messages)"

// A bucket limits one kind. It is a token bucket in the form of the generic cell rate algorithm.
type bucket struct {
	due        time.Time // when the bucket is full again
	suppressed int64     // since the last report
}

// A limiter limits lines by kind.
type limiter struct {
	write func(context.Context, slog.Record) // writes a report
	total atomic.Int64                       // lines suppressed

	mu    sync.Mutex // guards kinds and the buckets
	kinds map[kind]*bucket
}

// allow reports whether a line may be written now. Otherwise it counts the line, which will be reported.
func (l *limiter) allow(now time.Time, k kind) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, b := l.bucket(k)
	interval, burst := pace(k.level)
	if b.due.Before(now) {
		b.due = now
	}
	if next := b.due.Add(interval); next.Sub(now) <= burst {
		b.due = next
		return true
	}
	l.total.Add(1)
	if b.suppressed++; b.suppressed == 1 {
		time.AfterFunc(ReportEvery, func() { l.report(k, b) })
	}
	return false
}

// bucket returns the bucket of a kind, and the kind it really is for.
func (l *limiter) bucket(k kind) (kind, *bucket) {
	b := l.kinds[k]
	if b == nil && len(l.kinds) >= maxKinds {
		k.message = otherMessages
		b = l.kinds[k]
	}
	if b == nil {
		b = &bucket{}
		l.kinds[k] = b
	}
	return k, b
}

// pace returns the time that a line takes of its bucket, and how much time the bucket holds.
func pace(level slog.Level) (interval, burst time.Duration) {
	if level >= slog.LevelWarn {
		return time.Second / WarnRate, WarnBurst * time.Second / WarnRate
	}
	return time.Second / Rate, Burst * time.Second / Rate
}

// report writes how many lines of a kind were suppressed since the last report, if any.
func (l *limiter) report(k kind, b *bucket) {
	l.mu.Lock()
	n := b.suppressed
	b.suppressed = 0
	l.mu.Unlock()
	if n == 0 {
		return
	}
	r := slog.NewRecord(time.Now(), k.level, "log lines suppressed", 0)
	r.AddAttrs(slog.String("of", k.message), slog.Int64("suppressed", n))
	l.write(context.Background(), r)
}

// flush writes all reports that are due later.
func (l *limiter) flush() {
	l.mu.Lock()
	pending := make(map[kind]*bucket)
	for k, b := range l.kinds {
		if b.suppressed > 0 {
			pending[k] = b
		}
	}
	l.mu.Unlock()
	for k, b := range pending {
		l.report(k, b)
	}
}
