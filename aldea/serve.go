package aldea

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"
)

const (
	// lateResults is how long the other side may take to deliver what it had said before writing failed,
	// such as a last final and the reason for closing.
	lateResults = time.Second
	// drainSlack is how much of the silence at the audio's end a server may leave out of its last final result.
	drainSlack = 100 * time.Millisecond
)

// errDrainTimeout means that what was left at the end could not be sent in time.
var errDrainTimeout = errors.New("aldea: the rest of the audio could not be sent in time")

// serve uses one connection until it ends. It returns nil if the stream is finished by that. The socket is
// closed and the reader has ended when it returns.
func (s *Stream) serve(w *writer, c *conn) error {
	stop := context.AfterFunc(s.ctx, c.abort)
	defer stop()
	defer s.count(func(stats *Stats) { stats.Connected = false })
	s.begin(w, c)
	go s.listen(c)
	err := w.send(c)
	switch {
	case err == nil:
		return s.drain(c)
	case errors.Is(err, errReaderEnded):
		err = c.err
	case errors.Is(err, errMoved):
		c.bye()
		c.abort()
		<-c.done
		return err
	case errors.Is(err, errStalled):
		c.abort()
		<-c.done
	default:
		c.endReading(time.Now().Add(lateResults))
		<-c.done
		if closed := (*CloseError)(nil); errors.As(c.err, &closed) && closed.Code != 1006 {
			err = c.err // the server's own words say more
		}
	}
	c.abort()
	s.lost()
	return err
}

// begin puts the stream at the start of a new connection.
func (s *Stream) begin(w *writer, c *conn) {
	w.restart(time.Now())
	w.host = c.host
	c.received = func() { s.received.Store(time.Now().UnixNano()) }
	s.mu.Lock()
	s.src.rewind(w.codec.Delay())
	s.stats.Connected = true
	s.stats.Connections++
	s.stats.Host = c.host.url.Host
	s.stats.RequestID = c.requestID
	base, backlog := s.src.base, s.src.ring.end-s.src.next
	s.mu.Unlock()
	s.trouble.backlog = max(s.trouble.backlog, timeOf(backlog))
	s.log.Info("recognizer connected", slog.String("host", c.host.url.Host), slog.String("auth", c.form.String()), slog.String("request_id", c.requestID),
		slog.Duration("from", timeOf(base)), slog.Duration("backlog", timeOf(backlog)))
}

func (s *Stream) lost() { s.count(func(stats *Stats) { stats.Lost++ }) }

// drain waits for the last results after CloseStream, and closes. No code is documented for the server's
// close, so every orderly one counts as 1000; a cut connection, and one that never closes, is not, unless
// the last final came first.
func (s *Stream) drain(c *conn) error {
	c.endReading(time.Now().Add(s.client.config.DrainTimeout))
	<-c.done
	c.bye()
	c.abort()
	if s.drained(c.err) {
		return nil
	}
	var timeout net.Error
	if errors.As(c.err, &timeout) && timeout.Timeout() && s.ctx.Err() == nil {
		s.trouble.cause = CauseSlow
		return fmt.Errorf("%w: the last result did not come within %v", ErrUnfinished, s.client.config.DrainTimeout)
	}
	s.lost()
	return c.err
}

func (s *Stream) drained(err error) bool {
	var closed *CloseError
	if errors.As(err, &closed) && (closed.Code == 1000 || closed.Code == 1001 || closed.Code == 1005) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ctx.Err() == nil && s.src.settled+sampleAt(drainSlack) >= s.src.ring.end && !s.src.unheard()
}
