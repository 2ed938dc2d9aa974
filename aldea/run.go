package aldea

import (
	"errors"
	"io"
	"time"
)

// run carries the stream from its first attempt to connect to its end. It writes to the sockets, but for what Write
// sends while it waits, and every reader it starts has ended when it returns.
func (s *Stream) run() {
	defer close(s.done)
	s.writeMu.Lock()
	s.err = s.carry()
	s.writeMu.Unlock()
	if s.ctx.Err() == nil && !errors.Is(s.err, io.EOF) {
		s.log.Debug("recognizer stream failed", "error", s.err) // Next returns it
	}
	s.mu.Lock()
	if errors.Is(s.err, ErrUnfinished) {
		s.src.abandon(s.trouble.cause)
	}
	s.over = true
	s.stats.Connected = false
	s.src.ring.release() // Stats still needs the positions; the audio is not needed
	if s.timer != nil {
		s.timer.Stop()
	}
	s.mu.Unlock()
	s.client.guard.leave(s.waiter)
	s.deliverGap()
	s.cancel(s.err)
	close(s.messages)
}

// carry connects again and again until the stream is finished, which is io.EOF, or cannot go on.
func (s *Stream) carry() error {
	r, w, err := s.prepare()
	if err != nil {
		return err
	}
	defer s.trouble.alarm.Stop()
	defer w.timer.Stop()
	for {
		c, err := s.connect(r)
		if err == nil {
			err = s.serve(w, c)
			s.part(r, c, err)
		}
		if err == nil {
			return io.EOF
		}
		if errors.Is(err, ErrUnfinished) {
			return err
		}
		if err := s.recover(r, c, err); err != nil {
			return err
		}
	}
}

// prepare makes what all connections share.
func (s *Stream) prepare() (*recovery, *writer, error) {
	w, err := newWriter(s)
	if err != nil {
		return nil, nil, err
	}
	s.writer = w
	s.trouble.alarm = time.NewTimer(time.Hour)
	s.trouble.begin(time.Now(), CauseUnreachable, "no connection yet")
	r := &recovery{backoff: backoff{jitter: s.client.config.Random}, waiter: s.waiter, forms: map[*host]Auth{}, strikes: map[*host]int{}}
	return r, w, nil
}
