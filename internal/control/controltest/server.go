package controltest

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

// A Server is a Twilio that listens.
type Server struct {
	*Twilio
	URL string // "http://…", without a path: the API's base URL

	server    *httptest.Server
	transport *http.Transport
}

// New returns a Twilio that listens on a free port of the loopback interface. Like package httptest, it panics where it
// cannot go on. Close it.
func New(accounts ...Account) *Server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic("controltest: " + err.Error())
	}
	var d net.Dialer
	return serve(accounts, l, func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", l.Addr().String()) })
}

// NewInMemory returns a Twilio without a socket: clients reach it through Transport only. It works inside a bubble of
// testing/synctest. Close it.
func NewInMemory(accounts ...Account) *Server {
	l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
	return serve(accounts, l, l.dial)
}

func serve(accounts []Account, l net.Listener, dial func(context.Context) (net.Conn, error)) *Server {
	s := &Server{Twilio: NewTwilio(accounts...)}
	s.server = &httptest.Server{
		Listener: l,
		Config:   &http.Server{Handler: s.Twilio, ErrorLog: log.New(io.Discard, "", 0)},
	}
	s.server.Start()
	s.URL = s.server.URL
	s.transport = &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}
	return s
}

// Transport leads to the server, whatever the address.
func (s *Server) Transport() http.RoundTripper { return s.transport }

// Close stops the server. It returns when no request is in progress.
func (s *Server) Close() {
	s.Twilio.Close()
	s.transport.CloseIdleConnections()
	s.server.CloseClientConnections()
	s.server.Close()
}

// A pipeListener accepts connections in memory.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

var errClosed = errors.New("controltest: server closed")

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

// Close makes Accept and dial return an error.
func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// Addr is a name, not an address.
func (l *pipeListener) Addr() net.Addr { return pipeAddr{} }

type pipeAddr struct{}

func (pipeAddr) Network() string { return "pipe" }
func (pipeAddr) String() string  { return "twilio.test" }
