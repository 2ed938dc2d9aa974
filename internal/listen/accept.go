package listen

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// How long Accept pauses after a failure. The pause doubles as long as nothing can be accepted.
const (
	firstPause   = 5 * time.Millisecond
	longestPause = time.Second
)

// accept accepts the next connection. It goes on after every error that can pass, and logs the first of a series and its end.
func (l *Listener) accept() (net.Conn, error) {
	failures, pause := 0, firstPause
	for {
		nc, err := l.Listener.Accept()
		if err == nil {
			if failures > 0 {
				l.config.Logger.Info("connections are accepted again", "failures", failures)
			}
			return nc, nil
		}
		if !passes(err) {
			return nil, err
		}
		l.acceptFailures.Add(1)
		if failures++; failures == 1 {
			l.config.Logger.Warn("a connection cannot be accepted: trying again", "err", err)
		}
		if exhausted(err) {
			l.closeTo(l.places.evict(time.Now()))
		}
		if !l.pause(pause) {
			return nil, net.ErrClosed
		}
		pause = min(2*pause, longestPause)
	}
}

// passes tells whether accepting may work later. accept(2) also reports errors of the connection that is gone, and of the
// network. Only an error that says that the socket is no good is for ever.
func passes(err error) bool {
	var errno syscall.Errno
	if !errors.As(err, &errno) {
		var timeout net.Error
		return errors.As(err, &timeout) && timeout.Timeout()
	}
	switch errno {
	case syscall.EBADF, syscall.EINVAL, syscall.ENOTSOCK, syscall.EFAULT:
		return false
	}
	return true
}

// exhausted tells whether the process has no descriptor left, which closing a connection helps.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOBUFS) || errors.Is(err, syscall.ENOMEM)
}

// pause waits. It reports whether the listener is still open.
func (l *Listener) pause(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.done:
		return false
	}
}
