package aldea

import (
	"context"
	"errors"
	"time"
)

// errNoTurn means that there is no time left to wait for a turn to connect.
var errNoTurn = errors.New("aldea: no attempt to connect was possible in time")

// connect makes one attempt, when it is this stream's turn.
func (s *Stream) connect(r *recovery) (*conn, error) {
	h, err := s.awaitTurn(r)
	if err != nil {
		return nil, err
	}
	r.host = h
	c, err := s.attempt(r, h)
	now := time.Now()
	if err != nil && s.connecting.Err() != nil {
		s.client.guard.canceled(h, now)
		return nil, err
	}
	s.client.guard.dialled(r.waiter, h, err, now)
	if err != nil {
		s.count(func(stats *Stats) { stats.Failures++ })
		return nil, err
	}
	r.opened = now
	s.trouble.alarm.Stop()
	return c, nil
}

// awaitTurn waits until the guard lets the stream dial, and says where.
func (s *Stream) awaitTurn(r *recovery) (*host, error) {
	g, w := s.client.guard, r.waiter
	if g.ask(w, time.Now()) {
		s.trouble.cause, s.trouble.reason = CauseConcurrencyLimit, "all connections that are allowed are in use"
		s.troubled(time.Now(), levelDegraded)
	}
	for {
		select {
		case h := <-w.turn:
			return h, nil
		case <-s.wake:
			if s.audioEnded() {
				g.hurry(w)
			}
		case <-s.trouble.alarm.C:
			s.troubled(time.Now(), levelNone)
		case <-s.connecting.Done():
			g.withdraw(w)
			return nil, errNoTurn
		}
	}
}

// attempt dials. It dials in a second goroutine, so that this one can report gaps and trouble while it waits.
func (s *Stream) attempt(r *recovery, h *host) (*conn, error) {
	type outcome struct {
		c   *conn
		err error
	}
	form, ok := r.forms[h]
	if !ok {
		form = h.auth.current()
	}
	dialled := make(chan outcome, 1)
	go func(ctx context.Context, client *Client) {
		c, err := client.dial(ctx, h, form)
		dialled <- outcome{c, err}
	}(s.connecting, s.as)
	for {
		select {
		case o := <-dialled:
			return o.c, o.err
		case <-s.trouble.alarm.C:
			s.troubled(time.Now(), levelNone)
		}
	}
}
