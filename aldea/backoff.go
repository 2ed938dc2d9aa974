package aldea

import "time"

// A backoff spaces attempts to connect: the first retry comes at once, then each after a random part of a
// span that doubles ("full jitter"), so that many streams that lost one server do not return in step.
type backoff struct {
	jitter   jitter
	failures int
	hurry    bool // there is not much time: no wait is longer than hurryCap
}

const (
	backoffBase = 500 * time.Millisecond
	backoffCap  = 10 * time.Second
	hurryCap    = time.Second
)

// next returns the wait after one more failure. A wait the server asked for comes first; the jitter then
// is added to it.
func (b *backoff) next(retryAfter time.Duration) time.Duration {
	b.failures++
	if retryAfter > 0 {
		return retryAfter + b.jitter.upTo(backoffBase)
	}
	if b.failures == 1 {
		return 0
	}
	return b.jitter.upTo(b.span())
}

// span is the longest wait at the present number of failures.
func (b *backoff) span() time.Duration {
	doublings := min(b.failures-2, 10) // more would only overflow: the cap is reached long before
	if b.hurry {
		return min(backoffBase<<doublings, hurryCap)
	}
	return min(backoffBase<<doublings, backoffCap)
}

// reset begins anew after a success.
func (b *backoff) reset() { b.failures = 0 }
