package aldea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"
)

// run carries the stream from its first attempt to connect to its end. It owns everything that writes to a
// socket, and every reader it starts has ended when it returns.
func (s *Stream) run() {
	defer close(s.done)
	s.err = s.carry()
	if s.ctx.Err() == nil && !errors.Is(s.err, io.EOF) {
		s.log.Warn("recogniser stream failed", "error", s.err)
	}
	s.mu.Lock()
	s.over = true
	s.stats.Connected = false
	s.src.ring.buf = nil // Stats still wants the positions, nobody the audio
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.cancel(s.err)
	close(s.messages)
}

// carry connects again and again until the stream is finished, which is io.EOF, or cannot go on.
func (s *Stream) carry() error {
	r := &recovery{auth: s.client.auth.current()}
	w, err := newWriter(s)
	if err != nil {
		return err
	}
	defer w.timer.Stop()
	for {
		c, err := s.client.dial(s.connecting, r.auth)
		if err == nil {
			r.connected()
			err = s.serve(w, c)
		} else {
			s.count(func(stats *Stats) { stats.Failures++ })
		}
		if err == nil {
			return io.EOF
		}
		if err := s.recover(r, c, err); err != nil {
			return err
		}
	}
}

// recovery is what the stream remembers from one attempt to the next.
type recovery struct {
	backoff backoff
	auth    Auth // the form to send the key in
	strikes int  // connections in a row that were closed for our fault
	hurried bool // the end of the audio has cut a wait short
	opened  time.Time
}

func (r *recovery) connected() { r.opened = time.Now() }

// recover decides what follows on the loss of connection c, or on a failed attempt if c is nil. It returns
// nil when it is time for the next attempt, io.EOF if none is needed, and else why there will be none.
func (s *Stream) recover(r *recovery, c *conn, err error) error {
	if s.ctx.Err() != nil {
		return context.Cause(s.ctx)
	}
	if c != nil && (c.productive || time.Since(r.opened) >= backoffCap) {
		r.backoff.reset()
	}
	if c != nil && c.productive {
		r.strikes = 0
	}
	verdict := judge(err)
	switch verdict {
	case verdictFatal:
		return err
	case verdictRefused:
		if c == nil {
			return err // dial has tried what there is to try
		}
		other, ok := s.client.auth.refused(c.form)
		if !ok {
			return err
		}
		r.auth = other
	case verdictOnce:
		if r.strikes++; r.strikes > 1 {
			return err
		}
	}
	r.backoff.hurry = s.audioEnded()
	wait := r.backoff.next(retryAfterOf(err))
	s.logSetback(c, err, wait)
	return s.pause(r, wait, err)
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
		case <-s.connecting.Done():
		}
	}
}

// endOfTries is the error for a stream that may not connect any more; last is why it would have to. It is
// not wrapped: a network error may well be io.EOF, which means success here.
func (s *Stream) endOfTries(last error) error {
	cause := context.Cause(s.connecting)
	if errors.Is(cause, ErrUnfinished) {
		return fmt.Errorf("%w: %s", cause, last.Error())
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

func (s *Stream) logSetback(c *conn, err error, wait time.Duration) {
	stats := s.Stats()
	message := "recogniser cannot be reached"
	if c != nil {
		message = "recogniser connection lost"
	}
	s.log.Warn(message,
		slog.Any("error", err), slog.Duration("retry_in", wait), slog.String("request_id", stats.RequestID),
		slog.Duration("written", stats.Written), slog.Duration("settled", stats.Settled))
}
