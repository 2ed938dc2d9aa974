package listen

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// A script is a listener whose Accept returns scripted connections and errors.
type script struct {
	steps chan any // string: a connection from there; error
	done  chan struct{}
	once  sync.Once
}

func newScript(steps ...any) *script {
	s := &script{steps: make(chan any, 10_000), done: make(chan struct{})}
	for _, step := range steps {
		s.steps <- step
	}
	return s
}

func (s *script) Accept() (net.Conn, error) {
	select {
	case step := <-s.steps:
		if err, ok := step.(error); ok {
			return nil, err
		}
		return newFake(step.(string)), nil
	case <-s.done:
		return nil, net.ErrClosed
	}
}

func (s *script) Close() error {
	s.once.Do(func() { close(s.done) })
	return nil
}

func (s *script) Addr() net.Addr { return &net.TCPAddr{} }

// A fake is a connection from an address.
type fake struct {
	net.Conn
	remote net.Addr
	closed chan struct{}
	once   sync.Once
}

func newFake(address string) *fake {
	return &fake{remote: net.TCPAddrFromAddrPort(netip.MustParseAddrPort(address)), closed: make(chan struct{})}
}

func (f *fake) RemoteAddr() net.Addr { return f.remote }

func (f *fake) Close() error {
	f.once.Do(func() { close(f.closed) })
	return nil
}

func isClosed(c net.Conn) bool {
	select {
	case <-c.(*Conn).Conn.(*fake).closed:
		return true
	default:
		return false
	}
}

// accept accepts n connections.
func accept(t *testing.T, l *Listener, n int) (conns []*Conn) {
	t.Helper()
	for range n {
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c.(*Conn))
	}
	return conns
}

func sysErr(e syscall.Errno) error {
	return &net.OpError{Op: "accept", Net: "tcp", Err: os.NewSyscallError("accept4", e)}
}

func TestAcceptGoesOnAfterErrorsThatPass(t *testing.T) {
	for _, e := range []syscall.Errno{
		syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM, syscall.ECONNABORTED, syscall.EINTR, syscall.EAGAIN,
		syscall.EPERM, syscall.EPROTO, syscall.ENETDOWN, syscall.EHOSTUNREACH, syscall.ECONNRESET, syscall.ETIMEDOUT,
	} {
		t.Run(e.Error(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				s := newScript(sysErr(e), sysErr(e), sysErr(e), "192.0.2.1:1", sysErr(e), "192.0.2.1:2")
				l := New(s, Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
				began := time.Now()
				accept(t, l, 1)
				if waited := time.Since(began); waited != 35*time.Millisecond {
					t.Errorf("paused %v for three failures, want 5 + 10 + 20 ms", waited)
				}
				if n := strings.Count(log.String(), "cannot be accepted"); n != 1 {
					t.Errorf("logged %d times that nothing is accepted, want once:\n%s", n, &log)
				}
				if !strings.Contains(log.String(), "accepted again") {
					t.Errorf("want a line at the end of it:\n%s", &log)
				}
				accept(t, l, 1)
				if n := strings.Count(log.String(), "cannot be accepted"); n != 2 {
					t.Errorf("logged %d times, want once for each series", n)
				}
				if n := l.Stats().AcceptFailures; n != 4 {
					t.Errorf("counted %d failures, want 4", n)
				}
			})
		})
	}
}

func TestAcceptEndsWithItsListener(t *testing.T) {
	for name, want := range map[string]error{"closed": net.ErrClosed, "broken": sysErr(syscall.EBADF), "unknown": errors.New("no idea")} {
		t.Run(name, func(t *testing.T) {
			if _, err := New(newScript(want), Config{}).Accept(); !errors.Is(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
	t.Run("while it pauses", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := newScript()
			for range 10 {
				s.steps <- sysErr(syscall.EMFILE)
			}
			l := New(s, Config{})
			ended := make(chan error)
			go func() {
				_, err := l.Accept()
				ended <- err
			}()
			synctest.Wait()
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
		})
	})
	t.Run("while it waits for room", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			l := New(newScript("192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"), Config{Total: 2})
			accept(t, l, 2)
			ended := make(chan error)
			go func() {
				_, err := l.Accept()
				ended <- err
			}()
			synctest.Wait()
			_ = l.Close()
			if err := <-ended; !errors.Is(err, net.ErrClosed) {
				t.Errorf("got %v, want net.ErrClosed", err)
			}
		})
	})
}

func TestDescriptorsThatAreUsedUpCostIdleConnections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1")
		l := New(s, Config{})
		conns := accept(t, l, 3)
		time.Sleep(patience)
		s.steps <- sysErr(syscall.EMFILE)
		s.steps <- "192.0.2.4:1"
		accept(t, l, 1)
		if !isClosed(conns[0]) || isClosed(conns[1]) || isClosed(conns[2]) {
			t.Error("want the connection closed that has waited longest, and no other")
		}
	})
}

func TestANewConnectionGetsInAndTheOldestGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1", "192.0.2.4:1")
		l := New(s, Config{Total: 4})
		conns := accept(t, l, 4)
		time.Sleep(time.Second)
		conns[0].Request(nil) // it is not idle now, and the youngest
		s.steps <- "192.0.2.5:1"
		s.steps <- "192.0.2.6:1"
		accept(t, l, 2)
		for i, want := range []bool{false, true, true, false} {
			if isClosed(conns[i]) != want {
				t.Errorf("connection %d: closed is %v, want %v", i, !want, want)
			}
		}
		if got := l.Stats(); got.Open != 4 || got.ClosedTotal != 2 {
			t.Errorf("got %+v, want 4 open and 2 closed", got)
		}
	})
}

// Many calls that come back at the same moment do not close each other's connections: they wait in the kernel's queue.
func TestANewConnectionHasTimeToSendItsRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		for range 100 {
			s.steps <- "192.0.2.1:1"
		}
		l := New(s, Config{Total: 10, PerAddress: 2})
		began := time.Now()
		first := accept(t, l, 10)
		if time.Since(began) != 0 {
			t.Error("want no wait while there is room")
		}
		go func() {
			time.Sleep(50 * time.Millisecond)
			first[3].Leave() // it has become a stream
		}()
		accept(t, l, 1)
		if waited := time.Since(began); waited != 50*time.Millisecond {
			t.Errorf("waited %v, want 50 ms, until there was room", waited)
		}
		accept(t, l, 1)
		if waited := time.Since(began); waited != patience {
			t.Errorf("waited %v, want %v, until the first had its time", waited, patience)
		}
		if !isClosed(first[0]) || isClosed(first[3]) {
			t.Error("want the oldest closed, and the stream open")
		}
	})
}

func TestOneAddressIsBounded(t *testing.T) {
	for name, c := range map[string]struct{ first, second, other string }{
		"IPv4":               {"192.0.2.1:1", "192.0.2.1:2", "192.0.2.2:1"},
		"a /64 of IPv6":      {"[2001:db8::1]:1", "[2001:db8::ffff:0:0:2]:1", "[2001:db8:0:1::1]:1"},
		"IPv4 through IPv6":  {"[::ffff:192.0.2.1]:1", "192.0.2.1:2", "[::ffff:192.0.2.2]:1"},
		"link-local of IPv6": {"[fe80::1%eth0]:1", "[fe80::1%eth1]:1", "[fe81::1%eth0]:1"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScript(c.other, c.first, c.first)
				l := New(s, Config{Total: 100, PerAddress: 2})
				conns := accept(t, l, 3)
				time.Sleep(patience)
				s.steps <- c.second
				accept(t, l, 1)
				if isClosed(conns[0]) || !isClosed(conns[1]) || isClosed(conns[2]) {
					t.Error("want the oldest of the address closed, and no other")
				}
				if got := l.Stats(); got.Open != 3 || got.ClosedAddress != 1 {
					t.Errorf("got %+v, want 3 open and 1 closed", got)
				}
			})
		})
	}
}

func TestBehindATrustedProxyTheForwardedAddressCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		l := New(s, Config{Total: 100, PerAddress: 2, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		for range 10 {
			s.steps <- "10.0.0.1:1"
		}
		conns := accept(t, l, 10)
		time.Sleep(patience)
		conns[0].Request([]string{"192.0.2.9, 192.0.2.1", "10.0.0.2"})
		conns[1].Request([]string{"192.0.2.8,192.0.2.1:5000"})
		conns[2].Request([]string{"192.0.2.2"})
		time.Sleep(patience)
		conns[3].Request([]string{"192.0.2.1"})
		conns[4].Request([]string{"garbage"})
		for i, c := range conns {
			if want := i == 0; isClosed(c) != want {
				t.Errorf("connection %d: closed is %v, want %v", i, !want, want)
			}
		}
		conns[1].Idle() // and the proxy's again
		time.Sleep(patience)
		conns[5].Request([]string{"192.0.2.1"})
		if isClosed(conns[1]) || isClosed(conns[3]) {
			t.Error("want no connection closed: 192.0.2.1 has two")
		}
	})
}

func TestTheForwardedAddressOfAnUntrustedPeerIsIgnored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("192.0.2.1:1", "192.0.2.1:2")
		l := New(s, Config{Total: 100, PerAddress: 2, Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
		conns := accept(t, l, 2)
		conns[0].Request([]string{"198.51.100.1"})
		conns[1].Request([]string{"198.51.100.2"})
		time.Sleep(patience)
		s.steps <- "192.0.2.1:3"
		accept(t, l, 1)
		if !isClosed(conns[0]) {
			t.Error("want the connection counted by its peer's address")
		}
	})
}

func TestKeptConnectionsStayAndHalfOfThePlacesIsForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript("192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3", "192.0.2.1:4")
		l := New(s, Config{Total: 4})
		conns := accept(t, l, 4)
		for i, want := range []bool{true, true, false, false} {
			if got := conns[i].Keep(); got != want {
				t.Errorf("Keep of connection %d: got %v, want %v", i, got, want)
			}
		}
		if !conns[0].Keep() {
			t.Error("want a connection kept that is")
		}
		for range 10 {
			time.Sleep(patience)
			s.steps <- "192.0.2.1:5"
			accept(t, l, 1)
		}
		if isClosed(conns[0]) || isClosed(conns[1]) || !isClosed(conns[2]) || !isClosed(conns[3]) {
			t.Error("want the kept ones open, and the others closed")
		}
		conns[0].Idle()
		for range 3 {
			time.Sleep(patience)
			s.steps <- "192.0.2.1:6"
			accept(t, l, 1)
		}
		if !isClosed(conns[0]) || isClosed(conns[1]) {
			t.Error("want the one that is idle closed, and the kept one open")
		}
		conns[0].Idle() // too late: it stays out
		_ = conns[0].Close()
		_ = conns[1].Close()
		_ = conns[1].Close()
		if got := l.Stats(); got.Open != 3 || got.Kept != 0 {
			t.Errorf("got %+v, want 3 open and none kept", got)
		}
	})
}

func TestStreamsDoNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScript()
		l := New(s, Config{Total: 2})
		for range 100 {
			s.steps <- "192.0.2.1:1"
			c := accept(t, l, 1)[0]
			c.Keep()
			c.Leave()
			c.Leave()
			if isClosed(c) {
				t.Fatal("want a stream open")
			}
			if c.Keep() {
				t.Fatal("want no place for what has left")
			}
		}
		if got := l.Stats(); got.Open != 0 || got.Kept != 0 {
			t.Errorf("got %+v, want none", got)
		}
	})
}

func TestClosingForOthersIsLoggedOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		s := newScript()
		l := New(s, Config{Total: 2, Logger: slog.New(slog.NewTextHandler(&log, nil))})
		for range 123 {
			time.Sleep(time.Second)
			s.steps <- "192.0.2.1:1"
			accept(t, l, 1)
		}
		if n := strings.Count(log.String(), "\n"); n != 3 {
			t.Errorf("got %d lines in two minutes, want 3:\n%s", n, &log)
		}
		if !strings.Contains(log.String(), "closed=60 ") {
			t.Errorf("want how many there were since the last line:\n%s", &log)
		}
	})
}

// A client that sends more than the server reads gets the answer nevertheless.
func TestLingerLetsTheAnswerArrive(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(inner, Config{})
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = c.Write([]byte("no"))
		c.(*Conn).Linger()
		_ = c.Close()
	}()
	c, err := net.Dial("tcp", inner.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 3)
	if n, err := c.Read(b); err != nil || string(b[:n]) != "no" {
		t.Errorf("got %q %v, want the answer", b[:n], err)
	}
}

// fasthttp panics where a deadline cannot be set.
func TestDeadlinesOfAConnectionThatWasClosedForOthers(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := New(inner, Config{Total: 2})
	t.Cleanup(func() { _ = l.Close() })
	var conns []*Conn
	for range 3 {
		client, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer client.Close()
		conns = append(conns, accept(t, l, 1)...)
	}
	c := conns[0]
	if err := errors.Join(c.SetDeadline(time.Time{}), c.SetReadDeadline(time.Time{}), c.SetWriteDeadline(time.Time{})); err != nil {
		t.Errorf("got %v, want no error", err)
	}
	if _, err := c.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v from Write, want that it is closed", err)
	}
}

func TestShareLeavesDescriptorsForCalls(t *testing.T) {
	for _, c := range []struct {
		descriptors, calls, perCall int
		want                        Plan
	}{
		{0, 2500, 3, Plan{Connections: 2048, Calls: 2500}},
		{1 << 20, 2500, 3, Plan{Connections: 2048, Calls: 2500, Needed: 9612}},
		{4096, 2500, 3, Plan{Connections: 1024, Calls: 1002, Needed: 8588}},
		{400, 2500, 3, Plan{Connections: 100, Calls: 78, Needed: 7664}},
		{400, 10, 3, Plan{Connections: 100, Calls: 10, Needed: 194}},
		{20, 10, 3, Plan{Connections: 5, Calls: 1, Needed: 99}},
	} {
		if got := Share(c.descriptors, c.calls, c.perCall); got != c.want {
			t.Errorf("Share(%d, %d, %d): got %+v, want %+v", c.descriptors, c.calls, c.perCall, got, c.want)
		}
	}
}

func TestRaiseDescriptorsReturnsTheLimit(t *testing.T) {
	if n, err := RaiseDescriptors(); err != nil && !errors.Is(err, errors.ErrUnsupported) || err == nil && n < 3 {
		t.Errorf("got %d %v, want a limit", n, err)
	}
}
