package webhooktest

import (
	"context"
	"maps"
	"net"
	"net/http"
	"strconv"
)

// write gives the answer, or the fault.
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

// drip writes a body, a byte at a time if the answer says so.
func (a Answer) drip(ctx context.Context, w http.ResponseWriter, body []byte) {
	if a.Drip == nil {
		_, _ = w.Write(body) // a sender that has gone needs no answer
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

// endless writes until the sender or the endpoint goes.
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

// await blocks until the sender or the endpoint goes.
func await(ctx context.Context, closed <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-closed:
	}
}

// flush writes b and makes sure that it leaves.
func flush(w http.ResponseWriter, b []byte) {
	_, _ = w.Write(b)
	_ = http.NewResponseController(w).Flush()
}

// bodyAllowed says whether an answer with that status has a body (RFC 9110 sections 15.3.5, 15.4.5).
func bodyAllowed(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// reset ends the connection in a way that the sender sees at once. It does not return where the connection
// cannot be taken over (HTTP/2): package http ends the stream then.
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
