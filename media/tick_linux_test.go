package media

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/media/mediatest"
)

// ticked returns a connection that is read at ticks, and its other end.
func ticked(t *testing.T) (*tickedConn, *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	peer, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	c, err := tickedListener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	a := c.(*acceptedConn)
	tc := &tickedConn{Conn: a.TCPConn, tcp: a.TCPConn}
	t.Cleanup(func() { _ = tc.Close() })
	if err := tc.tick(func() time.Duration { return tickGrid }); err != nil {
		t.Fatal(err)
	}
	return tc, peer.(*net.TCPConn)
}

func TestOneReadTakesWhatSeveralWritesLeft(t *testing.T) {
	c, peer := ticked(t)
	for _, s := range []string{"one ", "two ", "three"} {
		if _, err := io.WriteString(peer, s); err != nil {
			t.Fatal(err)
		}
	}
	var b [100]byte
	n, err := c.Read(b[:])
	if got := string(b[:n]); got != "one two three" || err != nil {
		t.Errorf("got %q, %v, want all three", got, err)
	}
	if err := peer.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Read(b[:]); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("got %d bytes and %v when the other side has ended, want io.EOF", n, err)
	}
}

func TestATickedReadEndsByDeadlineAndClose(t *testing.T) {
	c, _ := ticked(t)
	reads := make(chan error)
	read := func() { _, err := c.Read(make([]byte, 1)); reads <- err }
	go read()
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	var netErr net.Error
	if err := <-reads; !errors.Is(err, os.ErrDeadlineExceeded) || !errors.As(err, &netErr) || !netErr.Timeout() {
		t.Errorf("got %v after the deadline, want a time-out", err)
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	go read()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-reads; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v after Close, want net.ErrClosed", err)
	}
	if err := c.Close(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v from a second Close, want net.ErrClosed", err)
	}
}

func TestATickedWriteWaitsForRoom(t *testing.T) {
	c, peer := ticked(t)
	sent := bytes.Repeat([]byte("0123456789"), 2<<20)
	written := make(chan error)
	go func() {
		_, err := c.Write(sent)
		written <- errors.Join(err, c.CloseWrite())
	}()
	got, err := io.ReadAll(peer)
	if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came, %v", len(got), len(sent), err)
	}
	if err := c.SetWriteDeadline(time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write(sent); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("wrote %d bytes, %v after the deadline, want a time-out", n, err)
	}
}

// A stream that sends without end is read a bounded part of the time: others need the processor too.
func TestAFloodIsReadAtTicks(t *testing.T) {
	c, peer := ticked(t)
	var since, most, all int
	ticks := 0
	c.next = func() time.Duration {
		ticks++
		since = 0
		return tickGrid
	}
	const flood = 4 << 20
	go func() { _, _ = peer.Write(make([]byte, flood)) }()
	for b := make([]byte, readSize); all < flood; {
		n, err := c.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		all, since = all+n, since+n
		most = max(most, since)
	}
	if most >= maxPerTick+readSize || ticks < flood/maxPerTick {
		t.Errorf("got %d bytes read at one of %d ticks, want at most %d", most, ticks, maxPerTick)
	}
}

func TestTickedReadsDoNotAllocate(t *testing.T) {
	c, peer := ticked(t)
	b := make([]byte, 100)
	got := testing.AllocsPerRun(20, func() {
		if _, err := peer.Write(b); err != nil {
			t.Error(err)
		}
		if _, err := c.Read(b); err != nil {
			t.Error(err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations a read, want 0", got)
	}
}

// A countedListener counts connections, as cmd/bridge's does.
type countedListener struct {
	net.Listener
	left chan struct{} // gets a value when a connection has become a stream
}

func (l countedListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return countedConn{c, l.left}, err
}

type countedConn struct {
	net.Conn
	left chan struct{}
}

func (c countedConn) NetConn() net.Conn { return c.Conn }

func (c countedConn) Leave() { c.left <- struct{}{} }

func TestAStreamLeavesWhatCountsConnectionsAndIsReadAtTicks(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ticks := make(chan bool, 1)
	s := &Server{Serve: func(_ context.Context, st *Stream) {
		_, ok := st.ws.(*conn).net.(*tickedConn)
		ticks <- ok
	}}
	app := fiber.New(fiber.Config{DisableStartupMessage: true})
	s.Register(app)
	l := countedListener{s.Listener(inner), make(chan struct{}, 1)}
	served := make(chan error, 1)
	go func() { served <- app.Listener(l) }()
	_, _ = (&mediatest.Call{URL: "ws://" + inner.Addr().String() + "/media/twilio"}).Run(t.Context()) // the server ends it at once
	<-l.left
	if !<-ticks {
		t.Error("want the stream read at ticks, though its connection is wrapped")
	}
	if err := errors.Join(s.Shutdown(t.Context()), inner.Close(), <-served); err != nil {
		t.Error(err)
	}
}
