package aldea

import (
	"log/slog"
	"time"
)

const (
	// degradedFailures and degradedAfter are what makes a stream degraded: so many attempts that failed one
	// after the other, or so much time without a connection.
	degradedFailures = 3
	degradedAfter    = 3 * time.Second
	// downAfter is the time without a connection after which a stream is down.
	downAfter = 30 * time.Second
	// calmAfter is how long a connection must last until it counts as a recovery.
	calmAfter = time.Second
	// calmLag is how much audio may wait then.
	calmLag = time.Second
)

// A trouble is a time in which a stream is not served, from the loss of its connection until all that had
// to wait has been sent. The zero value means that there is none. It belongs to run.
type trouble struct {
	since    time.Time // when it began
	apart    time.Time // when the stream last had a connection that was worth its name
	failures int       // in a row
	cause    Cause     // the latest
	reason   string    // the same for people, without the key

	told      level
	toldCause Cause
	backlog   time.Duration // the most there was

	alarm *time.Timer // runs while there is no connection
}

type level int

const (
	levelNone level = iota
	levelDegraded
	levelDown
)

// begin notes that the stream has no connection from now on, the last one having been good.
func (t *trouble) begin(now time.Time, cause Cause, reason string) {
	if t.told == levelNone {
		t.since, t.backlog = now, 0
	}
	t.apart, t.failures = now, 0
	t.cause, t.reason = cause, reason
	t.arm(now)
}

// failed notes an attempt that failed, or a connection that was worth no more.
func (t *trouble) failed(now time.Time, cause Cause, reason string) {
	t.failures++
	t.cause, t.reason = cause, reason
	t.arm(now)
}

// level is how bad it is.
func (t *trouble) level(now time.Time) level {
	apart := now.Sub(t.apart)
	switch {
	case apart >= downAfter:
		return levelDown
	case apart >= degradedAfter || t.failures >= degradedFailures:
		return levelDegraded
	}
	return levelNone
}

// arm sets the alarm to when it gets worse by itself.
func (t *trouble) arm(now time.Time) {
	switch apart := now.Sub(t.apart); {
	case apart < degradedAfter:
		t.alarm.Reset(degradedAfter - apart)
	case apart < downAfter:
		t.alarm.Reset(downAfter - apart)
	default:
		t.alarm.Stop()
	}
}

// end ends the trouble. It returns what there is to say about that.
func (t *trouble) end() *Recovered {
	var m *Recovered
	if t.told != levelNone {
		m = &Recovered{Since: t.since, Cause: t.toldCause, Backlog: t.backlog}
	}
	*t = trouble{alarm: t.alarm}
	return m
}

// troubled tells the consumer if it has got worse, and at least as bad as the level given.
func (s *Stream) troubled(now time.Time, atLeast level) {
	t := &s.trouble
	t.arm(now)
	reached := max(t.level(now), atLeast)
	if reached <= t.told {
		return
	}
	t.told, t.toldCause = reached, t.cause
	down, backlog := reached == levelDown, s.outstanding()
	s.log.Warn("recognizer degraded", slog.String("cause", string(t.cause)), slog.Bool("down", down),
		slog.Duration("backlog", backlog))
	s.deliver(&Degraded{Since: t.since, Cause: t.cause, Reason: t.reason, Down: down, Backlog: backlog})
}

// outstanding is the audio that is to be sent, or sent again.
func (s *Stream) outstanding() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return timeOf(s.src.ring.end - max(s.src.settled, s.src.ring.start))
}
