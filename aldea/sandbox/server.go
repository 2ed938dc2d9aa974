package sandbox

import (
	"context"
	"fmt"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"sync"
	"time"
)

// A Server is a Handler that listens, on a loopback port or in memory.
type Server struct {
	*Handler
	// URL is "ws://host:port" without a path. The streams are at /v1/listen.
	URL string

	http     *http.Server
	listener net.Listener
	dial     func(ctx context.Context, network, addr string) (net.Conn, error)
	served   chan struct{}
}

// New starts a server. It panics if it can not listen, as httptest does. Close it at the end.
func New(opts Options) *Server {
	listener := opts.Listener
	if listener == nil {
		var err error
		if listener, err = net.Listen("tcp", opts.withDefaults().Addr); err != nil {
			panic(fmt.Sprintf("sandbox: listen: %v", err))
		}
	}
	var d net.Dialer
	return start(opts, listener, d.DialContext)
}

// NewInMemory starts a server without a network: only Dial reaches it. Inside testing/synctest such a server
// lets simulated time pass while it waits for its client. Its pipes hold nothing: a write waits for its reader.
func NewInMemory(opts Options) *Server {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	return start(opts, l, l.dial)
}

func start(opts Options, listener net.Listener, dial func(context.Context, string, string) (net.Conn, error)) *Server {
	s := &Server{
		Handler:  NewHandler(opts),
		URL:      "ws://" + listener.Addr().String(),
		listener: listener,
		dial:     dial,
		served:   make(chan struct{}),
	}
	s.http = &http.Server{
		Handler:           s.Handler,
		ReadHeaderTimeout: 10 * time.Second,
		ErrorLog:          stdlog.New(io.Discard, "", 0),
	}
	go func() {
		defer close(s.served)
		_ = s.http.Serve(listener) // always ends with an error: that of Close
	}()
	return s
}

// Dial connects to the server whatever the address says. It has the shape that WebSocket and HTTP clients take
// for their dialer.
func (s *Server) Dial(ctx context.Context, _, _ string) (net.Conn, error) {
	return s.dial(ctx, s.listener.Addr().Network(), s.listener.Addr().String())
}

// Close stops listening, ends every stream and waits for all of it. It may be called twice.
func (s *Server) Close() error {
	err := s.http.Close()
	<-s.served
	if e := s.Handler.Close(); err == nil {
		err = e
	}
	return err
}

// A pipeListener hands out in-memory connections.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipeListener) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next dial.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

// Close ends Accept and all later dials.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is a name for what has no address.
func (l *pipeListener) Addr() net.Addr { return memoryAddr{} }

type memoryAddr struct{}

func (memoryAddr) Network() string { return "memory" }
func (memoryAddr) String() string  { return "sandbox.invalid" }
