package sandbox

import (
	"context"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

// oddSubprotocol is one that no client offers.
const oddSubprotocol = "nobody-asked-for-this"

// greet does to a handshake what its fault says, and reports whether the upgrade may go on.
func (h *Handler) greet(x *exchange, t *turn) bool {
	f := t.fault
	if status, refusing := h.faults.refusing(); refusing && len(f.actions()) == 0 && f.Outage.For > 0 {
		h.unreachable(x, status)
		return false
	}
	if !h.pause(x.r.Context(), f.HandshakeDelay, t.healed) || f.Hang && !h.hang(x.r.Context(), t.healed) {
		x.record.update(func(c *Connection) { c.Status, c.Err = 0, "gone before the handshake" })
		return false
	}
	if t.isHealed() {
		t.fault, f = Fault{}, Fault{}
	}
	switch {
	case f.Reset:
		h.cut(x, "cut before the handshake")
		return false
	case f.Status != 0:
		if f.RetryAfter > 0 {
			x.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(f.RetryAfter.Seconds()))))
		}
		h.refuse(x, f.Status, "FAULT", http.StatusText(f.Status)+": as planned")
		return false
	case f.WrongSubprotocol:
		x.echo = oddSubprotocol
	}
	return true
}

// isHealed reports whether Heal was called since the handshake.
func (t *turn) isHealed() bool {
	select {
	case <-t.healed:
		return true
	default:
		return false
	}
}

// hang waits for Heal, and reports false if the client or the server ended before.
func (h *Handler) hang(ctx context.Context, healed <-chan struct{}) bool {
	select {
	case <-healed:
		return true
	case <-ctx.Done():
	case <-h.ctx.Done():
	}
	return false
}

// pause waits, no longer than until Heal, and reports false if the client or the server ended before.
func (h *Handler) pause(ctx context.Context, d time.Duration, healed <-chan struct{}) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-healed:
		return true
	case <-ctx.Done():
	case <-h.ctx.Done():
	}
	return false
}

// cut ends a request without an answer.
func (h *Handler) cut(x *exchange, why string) {
	x.record.update(func(c *Connection) { c.Status, c.Err = 0, why })
	conn, _, err := http.NewResponseController(x.w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler) // a server that hands out no connections cuts this one itself
	}
	reset(conn)
}

// reset cuts a connection as a dying network would: without goodbye, and at once.
func reset(conn net.Conn) {
	if tls, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = tls.NetConn() // its own Close would say goodbye
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // closing then sends RST; without it, FIN does nearly the same
	}
	conn.Close()
}
