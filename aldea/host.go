package aldea

import (
	"net/url"
	"time"
)

// A Mode says how carefully a host is dialled.
type Mode string

// The modes of a host.
const (
	// ModeHealthy: dials are allowed, 16 at once.
	ModeHealthy Mode = "healthy"
	// ModeOutage: attempts failed one after the other. All streams together make four a second.
	ModeOutage Mode = "outage"
	// ModeRecovering: the host answers again, or has just dropped many connections together. Attempts are
	// spaced until no stream waits any more.
	ModeRecovering Mode = "recovering"
)

const (
	// maxDials bounds the attempts under way at one host.
	maxDials = 16
	// outageFailures is how many attempts in a row fail in an outage. At one refusal in five, that many
	// in a row happen by chance once in 400,000 attempts.
	outageFailures = 8
	// doubtFailures is how many do until another host, if there is one, is preferred.
	doubtFailures = 2
	// outagePace is the time between attempts in an outage.
	outagePace = 250 * time.Millisecond
	// recoveryRate is how many attempts a second follow it; every rampEvery, the number doubles: with a
	// thousand streams, the last must not wait until its buffer is full.
	recoveryRate = 15
	rampEvery    = 10 * time.Second
	// lull separates a burst of attempts from the spaced ones that follow.
	lull = time.Second
	// dropSpan is how close to each other connections end that end for one reason.
	dropSpan = 250 * time.Millisecond
	// longestHold bounds how long a server's Retry-After is heeded: audio waits.
	longestHold = 30 * time.Second
	// awayTime is how long a host is left alone, where there is another one, after it refused the key or the
	// settings, or stalled.
	awayTime = time.Minute
)

// A host is one address of the recognizer and what the client knows about it. All but index, url and auth
// is guarded by the guard's mutex.
type host struct {
	index  int      // its place in the order of preference
	url    *url.URL // with the settings of the first client; see Client.urls
	auth   authMemory
	jitter jitter

	mode      Mode
	failures  int       // attempts that failed since one did not
	dialing   int       // attempts under way
	open      int       // connections
	tookAt    time.Time // when an attempt last succeeded
	nextAt    time.Time // no attempt before, unless the mode is ModeHealthy
	heldUntil time.Time // no attempt before, in any mode
	leftUntil time.Time // it accepts connections, but does not serve them
	moveAt    time.Time // no other stream leaves a worse host before
	rate      float64   // attempts a second while recovering
	rampAt    time.Time // when the rate doubles

	dropAt time.Time // when the first of the latest drops was
	drops  int       // connections lost within dropSpan of it

	dials, failed, lost int64
}

// free reports whether an attempt may begin. Failures count as if they were still under way, so that the
// beginning of an outage costs no more attempts than maxDials.
func (h *host) free(now time.Time) bool {
	if now.Before(h.heldUntil) || h.dialing >= maxDials {
		return false
	}
	if h.mode == ModeHealthy {
		return h.dialing+h.failures < maxDials
	}
	return !now.Before(h.nextAt)
}

// freeAt is when time alone makes the host free. Zero means that it does not depend on time.
func (h *host) freeAt(now time.Time) time.Time {
	at := h.heldUntil
	if h.mode != ModeHealthy && h.nextAt.After(at) {
		at = h.nextAt
	}
	if !at.After(now) {
		return time.Time{}
	}
	return at
}

// trusted reports whether the host is believed to work.
func (h *host) trusted(now time.Time) bool {
	return h.failures < doubtFailures && !now.Before(h.heldUntil) && !now.Before(h.leftUntil)
}

// proven reports whether there is nothing at all against the host, so that a stream may leave another for it.
func (h *host) proven(now time.Time) bool { return h.failures == 0 && h.trusted(now) }

// begin notes an attempt.
func (h *host) begin(now time.Time) {
	h.dialing++
	h.dials++
	switch h.mode {
	case ModeOutage:
		h.nextAt = now.Add(outagePace)
	case ModeRecovering:
		if !now.Before(h.rampAt) {
			h.rate, h.rampAt = 2*h.rate, now.Add(rampEvery)
		}
		h.nextAt = now.Add(time.Duration(float64(time.Second) / h.rate))
	}
}

// succeed notes that an attempt reached a host that answers.
func (h *host) succeed(now time.Time) {
	h.failures = 0
	h.tookAt = now
	if h.mode == ModeOutage {
		h.slow(ModeRecovering, now.Add(time.Second/recoveryRate), now)
	}
}

// refuse notes that the host refuses the key, the settings or what it is sent. It is in doubt until an attempt succeeds,
// and the streams that it refuses come back slowly.
func (h *host) refuse(now time.Time) {
	h.fail(now)
	h.failures = max(h.failures, doubtFailures)
}

// fail notes an attempt that failed, or a connection that was worth no more than one.
func (h *host) fail(now time.Time) {
	h.failures++
	if h.failures < outageFailures || h.mode == ModeOutage {
		return
	}
	if h.mode == ModeHealthy {
		h.slow(ModeOutage, now.Add(lull), now)
		return
	}
	h.slow(ModeOutage, now.Add(outagePace), now)
}

// drop notes the loss of a connection. As many as a burst of attempts at once mean that all are lost, such
// as when a server restarts: those that follow are spaced before anything has failed.
func (h *host) drop(now time.Time) {
	h.lost++
	if now.Sub(h.dropAt) > dropSpan {
		h.dropAt, h.drops = now, 0
	}
	if h.drops++; h.drops == maxDials && h.mode == ModeHealthy {
		h.slow(ModeRecovering, now.Add(lull), now)
	}
}

// hold keeps everybody away for d, and some more so that clients do not return in step. Those who have
// waited then come one after the other.
func (h *host) hold(d time.Duration, now time.Time) {
	until := now.Add(d + h.jitter.upTo(backoffBase))
	if until.After(h.heldUntil) {
		h.heldUntil = until
	}
	if h.mode == ModeHealthy {
		h.slow(ModeRecovering, h.heldUntil, now)
	}
}

// slow spaces attempts, the first at next.
func (h *host) slow(mode Mode, next, now time.Time) {
	h.mode, h.nextAt = mode, next
	h.rate, h.rampAt = recoveryRate, now.Add(rampEvery)
}

// relax ends a recovery when no stream waits. The next attempts keep a distance from the spaced ones.
func (h *host) relax(now time.Time) {
	if h.mode == ModeRecovering && now.Sub(h.nextAt) >= lull {
		h.mode = ModeHealthy
	}
}
