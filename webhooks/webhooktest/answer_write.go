package webhooktest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
)

// write sends the answer, or its fault.
func (a Answer) write(ctx context.Context, w http.ResponseWriter, closed <-chan struct{}) {
	switch a.Fault {
	case Reset:
		reset(w)
		return
	case Silent:
		await(ctx, closed)
		reset(w)
		return
	}
	body := a.body()
	maps.Copy(w.Header(), a.Header)
	if a.Fault != Endless && bodyAllowed(a.status()) {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status())
	switch a.Fault {
	case NoFault:
		a.drip(ctx, w, body)
	case Half:
		flush(w, body[:len(body)/2])
		reset(w)
	case Stall:
		flush(w, body[:len(body)/2])
		await(ctx, closed)
		reset(w)
	case Endless:
		endless(ctx, w, closed)
	}
}

// drip writes a body, one byte at a time if Drip is set.
func (a Answer) drip(ctx context.Context, w http.ResponseWriter, body []byte) {
	if a.Drip == nil {
		_, _ = w.Write(body) // ignore a canceled request
		return
	}
	flush(w, nil)
	for i := range body {
		select {
		case _, open := <-a.Drip:
			if !open {
				_, _ = w.Write(body[i:])
				return
			}
			flush(w, body[i:i+1])
		case <-ctx.Done():
			return
		}
	}
}

// endless writes until the sender cancels or the endpoint is closed.
func endless(ctx context.Context, w http.ResponseWriter, closed <-chan struct{}) {
	chunk := make([]byte, 32<<10)
	for ctx.Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
		select {
		case <-closed:
			return
		default:
		}
	}
}

// await blocks until the sender cancels or the endpoint is closed.
func await(ctx context.Context, closed <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-closed:
	}
}

// flush writes b and flushes it to the connection.
func flush(w http.ResponseWriter, b []byte) {
	_, _ = w.Write(b)
	_ = http.NewResponseController(w).Flush()
}

// bodyAllowed reports whether an answer with that status has a body (RFC 9110 sections 15.3.5, 15.4.5).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// reset closes the connection with a TCP reset. If the connection cannot be hijacked (HTTP/2), it panics with
// http.ErrAbortHandler, so that net/http resets the stream.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a RST, not a FIN
	}
	_ = conn.Close()
}
