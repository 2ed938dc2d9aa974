package webhooktest

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
)

// A Server is an Endpoint with an HTTP server.
type Server struct {
	*Endpoint
	URL string // "http://…", without a path

	server *httptest.Server
	pipes  *pipeListener // nil if it listens on a socket
}

// New returns an endpoint that listens on a free port of the loopback interface. It verifies signatures by any of the
// secrets; without secrets it verifies nothing. Like net/http/httptest it panics if it cannot listen.
func New(secrets ...string) *Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("webhooktest: " + err.Error())
	}
	return serve(NewEndpoint(secrets...), l, nil)
}

// NewInMemory returns an endpoint without a socket: clients reach it only through Dial. It works in a bubble of
// testing/synctest.
func NewInMemory(secrets ...string) *Server {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	return serve(NewEndpoint(secrets...), l, l)
}

func serve(e *Endpoint, l net.Listener, pipes *pipeListener) *Server {
	s := &Server{Endpoint: e, pipes: pipes}
	s.server = &httptest.Server{
		Listener: l,
		Config:   &http.Server{Handler: e, ErrorLog: log.New(io.Discard, "", 0)},
	}
	s.server.Start()
	s.URL = s.server.URL
	return s
}

// Down makes the endpoint unreachable until Up: connections are closed, and new ones are reset when a request
// arrives.
func (s *Server) Down() {
	s.Endpoint.Down()
	s.server.CloseClientConnections()
}

// Close stops the server. It releases delayed answers, and returns when all requests have ended.
func (s *Server) Close() {
	s.Endpoint.Close()
	s.server.CloseClientConnections()
	s.server.Close()
}

// Dial connects to the server, whatever the address. It has the signature of net.Dialer.DialContext.
func (s *Server) Dial(ctx context.Context, network, _ string) (net.Conn, error) {
	if s.pipes != nil {
		return s.pipes.dial(ctx)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, s.server.Listener.Addr().String())
}

// A pipeListener accepts in-memory connections.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

var errClosed = errors.New("webhooktest: server closed")

func (l *pipeListener) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case l.conns <- theirs:
		return ours, nil
	case <-l.closed:
		return nil, errClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept returns the other end of the next dial.
func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, errClosed
	}
}

// Close makes Accept and Dial return an error.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr returns a name, not an address.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "endpoint.test" }
