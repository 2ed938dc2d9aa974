package aldea

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

const (
	// refusalBase and refusalCap bound the wait of a stream that all hosts refuse. A key, a plan or a deployment can be
	// mended while a call is up: then the call must come back before its buffer is full.
	refusalBase = time.Second
	refusalCap  = 15 * time.Second
)

// refused decides what follows when a host refuses the stream: to go on to the next, to go on with the settings before
// the present ones, or to try again. The first refusal by all hosts may be a lone one, so the next attempt comes soon; the
// second is reported. everybody means that the host will refuse all other streams, too.
func (s *Stream) refused(r *recovery, c *conn, err error, everybody bool, now time.Time) error {
	if r.refusal == nil {
		r.refusal = err
	}
	g := s.client.guard
	if g.bar(r.waiter, r.host, everybody, now) {
		s.log.Warn("recognizer refuses the stream: going on to the next", slog.String("host", r.host.url.Host), slog.Any("error", err))
		return nil
	}
	if s.revert(r, err) {
		return nil
	}
	g.refuse(r.waiter)
	clear(r.forms)
	if r.refused++; r.refused > 1 {
		s.troubled(now, levelDegraded)
	}
	if s.audioEnded() && r.hurried {
		return s.giveUpRefused(r)
	}
	wait := s.refusalWait(r, err)
	s.logSetback(r, c, err, wait)
	return s.pause(r, wait, err)
}

// giveUpRefused ends a stream whose audio has ended: it has been tried once more since.
func (s *Stream) giveUpRefused(r *recovery) error {
	s.giveUp(ErrUnfinished)
	if cause := context.Cause(s.connecting); !errors.Is(cause, ErrUnfinished) {
		return cause
	}
	return &unfinished{ErrUnfinished, r.refusal}
}

// refusalWait is the time until the next attempt: a moment, then from half of a span that doubles to all of it.
func (s *Stream) refusalWait(r *recovery, err error) time.Duration {
	jitter := r.backoff.jitter
	if asked := min(retryAfterOf(err), longestHold); asked > 0 {
		return asked + jitter.upTo(backoffBase)
	}
	if r.refused == 1 {
		return jitter.upTo(backoffBase)
	}
	span := min(refusalBase<<min(r.refused-2, 10), refusalCap)
	return span/2 + jitter.upTo(span/2)
}

// otherForm makes the next attempt send the key in the other form, if the connection that was refused is one for which
// dial has not tried it.
func (s *Stream) otherForm(r *recovery, c *conn) bool {
	if c == nil {
		return false
	}
	form, ok := c.host.auth.refused(c.form)
	if ok {
		r.forms[c.host] = form
	}
	return ok
}

// revert goes on with the settings before the present ones, if these were not taken yet and may be why the stream is
// refused.
func (s *Stream) revert(r *recovery, err error) bool {
	before := s.as.fallback
	if before == nil || s.accepted || !refusesSettings(err) {
		return false
	}
	s.as = before
	s.client.guard.revert(r.waiter, before.particular)
	clear(r.strikes)
	r.refusal = nil
	s.log.Warn("recognizer refuses the settings: the stream goes on with those before", slog.Any("error", err))
	s.deliver(&Refused{Err: err})
	return true
}
