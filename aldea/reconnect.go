package aldea

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// recovery is what the stream remembers from one attempt to the next.
type recovery struct {
	waiter  *waiter
	host    *host // of the latest attempt
	backoff backoff
	forms   map[*host]Auth // to send the key in, where it is not what the client remembers
	strikes map[*host]int  // connections in a row that were closed for our fault
	refusal error          // why the first host that refuses the stream does
	refused int            // how often in a row all hosts did
	parting parting        // how the latest connection ended
	last    error          // why the stream is not served
	hurried bool           // the end of the audio has cut a wait short
	opened  time.Time
}

// part notes how a connection ended, for this stream and for the others.
func (s *Stream) part(r *recovery, c *conn, err error) {
	now := time.Now()
	how := partingLoss
	switch cause := causeOf(err, true); {
	case err == nil, errors.Is(err, errMoved), errors.Is(err, ErrUnfinished), s.ctx.Err() != nil:
		how = partingEnd
	case cause == CauseStalled:
		how = partingStall
	case !c.answered && now.Sub(r.opened) < earlyEnd:
		how = partingEarly
	}
	if c.answered {
		s.stalls = 0
	} else if errors.Is(err, errStalled) {
		s.stalls++
	}
	if c.productive || now.Sub(r.opened) >= backoffCap {
		r.backoff.reset()
		r.refused = 0
	}
	s.accepted = s.accepted || c.answered || now.Sub(r.opened) >= backoffCap
	if c.productive {
		clear(r.strikes)
		r.refusal = nil
		s.client.guard.resetFailures(r.waiter)
	}
	r.parting = how
	s.client.guard.parted(c.host, how, now)
}

// earlyEnd is how soon a connection ends that is worth no more than an attempt that failed.
const earlyEnd = time.Second

// recover decides what follows on the loss of connection c, or on a failed attempt if c is nil. It returns
// nil when it is time for the next attempt, io.EOF if none is needed, and else why there will be none.
func (s *Stream) recover(r *recovery, c *conn, err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	now := time.Now()
	switch {
	case c == nil && s.connecting.Err() != nil, errors.Is(err, errNoTurn):
		return s.pause(r, 0, cmp.Or(r.last, err)) // which knows that it is the end
	case errors.Is(err, errMoved):
		s.trouble.begin(now, CauseUnreachable, "")
		s.log.Info("recognizer connection left for a better host", slog.String("host", r.host.url.Host))
		return nil
	}
	r.last = err
	s.setback(r, c, err, now)
	switch judge(err) {
	case verdictRefused:
		return s.refused(r, c, err, !s.as.particular || !refusesSettings(err), now)
	case verdictKey:
		if !s.otherForm(r, c) {
			return s.refused(r, c, err, true, now)
		}
		s.logSetback(r, c, err, 0)
		return s.pause(r, 0, err)
	case verdictOnce:
		if r.strikes[c.host]++; r.strikes[c.host] > 1 {
			return s.refused(r, c, err, false, now)
		}
	}
	wait := s.wait(r, c, err, now)
	s.logSetback(r, c, err, wait)
	return s.pause(r, wait, err)
}

// setback records a loss or a failure, and reports it if it is time.
func (s *Stream) setback(r *recovery, c *conn, err error, now time.Time) {
	cause, reason := causeOf(err, c != nil), s.client.config.Key.scrub(shorten(err.Error()))
	s.client.guard.setback(cause)
	worked := c != nil && (c.productive || now.Sub(r.opened) >= backoffCap)
	if worked || s.trouble.since.IsZero() {
		s.trouble.begin(now, cause, reason)
		if s.trouble.told == levelNone {
			s.client.guard.since(r.waiter, now)
		}
	} else {
		s.trouble.failed(now, cause, reason)
	}
	if cause != CauseStalled {
		s.troubled(now, levelNone)
		return
	}
	// The trouble was not reported yet.
	if asked := s.openQuestion(); s.trouble.told == levelNone && !asked.IsZero() {
		s.trouble.since = asked
	}
	s.troubled(now, levelDegraded)
}

// wait is the time until the next attempt. There is none as long as there is a host that did not just fail.
func (s *Stream) wait(r *recovery, c *conn, err error, now time.Time) time.Duration {
	asked := min(retryAfterOf(err), longestHold)
	if g := s.client.guard; len(g.hosts) > 1 {
		if (c == nil || r.parting != partingLoss) && g.another(r.waiter, r.host, now) {
			return 0
		}
		asked = 0 // of one host only, and the guard knows
	}
	r.backoff.hurry = s.audioEnded()
	return r.backoff.next(asked)
}

// pause waits before the next attempt. The end of the audio cuts the wait short once, unless the server
// asked for it: there is little time left.
func (s *Stream) pause(r *recovery, wait time.Duration, err error) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		if s.settledToTheEnd() {
			return io.EOF
		}
		if s.connecting.Err() != nil {
			return s.endOfTries(err)
		}
		if s.audioEnded() && !r.hurried && retryAfterOf(err) == 0 {
			r.hurried = true
			r.backoff.reset()
			return nil
		}
		select {
		case <-timer.C:
			return nil
		case <-s.wake:
		case <-s.trouble.alarm.C:
			s.troubled(time.Now(), levelNone)
		case <-s.connecting.Done():
		}
	}
}

// An unfinished is the end of a stream that may not connect any more; last is why it would have to.
type unfinished struct{ cause, last error }

func (e *unfinished) Error() string { return fmt.Sprintf("%v: %v", e.cause, e.last) }

// Unwrap leaves out an error of the network: that may well be io.EOF, which means success here.
func (e *unfinished) Unwrap() []error {
	if judge(e.last) == verdictRetry {
		return []error{e.cause}
	}
	return []error{e.cause, e.last}
}

// LogValue leaves out what the recognizer wrote.
func (e *unfinished) LogValue() slog.Value {
	return slog.AnyValue(fmt.Errorf("%w: %w", e.cause, e.last))
}

// endOfTries is the error for a stream that may not connect any more; last is why it would have to.
func (s *Stream) endOfTries(last error) error {
	cause := context.Cause(s.connecting)
	if errors.Is(cause, ErrUnfinished) {
		return &unfinished{cause, last}
	}
	return cause
}

func (s *Stream) audioEnded() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.src.ended
}

// settledToTheEnd reports whether the audio is complete and nothing of it needs to be sent.
func (s *Stream) settledToTheEnd() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.src.ended && s.src.settled >= s.src.ring.end
}

func (s *Stream) logSetback(r *recovery, c *conn, err error, wait time.Duration) {
	stats := s.Stats()
	message := "recognizer cannot be reached"
	if c != nil {
		message = "recognizer connection lost"
	}
	level := slog.LevelWarn
	if c == nil && r.backoff.failures > 1 {
		level = slog.LevelDebug // said before; Degraded says how it goes on
	}
	s.log.Log(s.ctx, level, message,
		slog.String("host", r.host.url.Host), slog.Any("error", err), slog.Duration("retry_in", wait), slog.String("request_id", stats.RequestID),
		slog.Duration("written", stats.Written), slog.Duration("settled", stats.Settled))
}
