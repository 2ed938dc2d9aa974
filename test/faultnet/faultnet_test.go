package faultnet_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"aldeabridge/test/faultnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair returns both ends of a connection over a network, and its link.
func pair(t *testing.T, l net.Listener, n faultnet.Network) (client, server net.Conn, link faultnet.Link) {
	t.Helper()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	client, link, err := n.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	t.Cleanup(func() {
		link.Reset()
		_ = client.Close()
		_ = server.Close()
	})
	return client, server, link
}

// networks runs a test over both kinds of network.
func networks(t *testing.T, test func(t *testing.T, l net.Listener, n faultnet.Network)) {
	t.Run("memory", func(t *testing.T) {
		l := faultnet.Listen()
		defer func() { _ = l.Close() }()
		test(t, l, l)
	})
	t.Run("relay", func(t *testing.T) {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		r, err := faultnet.NewRelay(func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "tcp", l.Addr().String())
		})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = r.Close() }()
		test(t, l, r)
	})
}

func TestBytesPassInBothDirectionsUntilTheEnd(t *testing.T) {
	networks(t, func(t *testing.T, l net.Listener, n faultnet.Network) {
		client, server, _ := pair(t, l, n)
		long := bytes.Repeat([]byte("0123456789"), 100_000)
		go func() {
			_, _ = client.Write(long)
			_ = client.(interface{ CloseWrite() error }).CloseWrite()
		}()
		got, err := io.ReadAll(server)
		if err != nil || !bytes.Equal(got, long) {
			t.Errorf("got %d bytes, %v; want %d", len(got), err, len(long))
		}
		go func() {
			_, _ = server.Write([]byte("back"))
			_ = server.Close()
		}()
		if got, err := io.ReadAll(client); err != nil || string(got) != "back" {
			t.Errorf("got %q, %v; want back", got, err)
		}
	})
}

func TestAResetIsSeenAtBothEnds(t *testing.T) {
	networks(t, func(t *testing.T, l net.Listener, n faultnet.Network) {
		client, server, link := pair(t, l, n)
		link.Reset()
		for name, c := range map[string]net.Conn{"client": client, "server": server} {
			if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
				t.Errorf("%s: got %v, want a reset", name, err)
			}
		}
	})
}

func TestAFrozenLinkTellsNobody(t *testing.T) {
	networks(t, func(t *testing.T, l net.Listener, n faultnet.Network) {
		client, server, link := pair(t, l, n)
		link.Freeze()
		if _, err := client.Write([]byte("lost")); err != nil {
			t.Errorf("a first write: got %v, want none to be the wiser", err)
		}
		_ = server.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		if n, err := server.Read(make([]byte, 10)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %d bytes, %v; want nothing until the deadline", n, err)
		}
		_ = client.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
		if _, err := client.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want a write that fills all buffers to run into its deadline", err)
		}
	})
}

func TestTimePassesInABubbleWhileBothEndsWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := faultnet.Listen()
		defer func() { _ = l.Close() }()
		client, server, _ := pair(t, l, l)
		begin := time.Now()
		go func() {
			time.Sleep(time.Hour)
			_, _ = server.Write([]byte("late"))
		}()
		_ = client.SetReadDeadline(begin.Add(time.Minute))
		if _, err := client.Read(make([]byte, 4)); !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(begin) != time.Minute {
			t.Errorf("got %v after %v, want the deadline after a minute", err, time.Since(begin))
		}
		_ = client.SetReadDeadline(time.Time{})
		if n, err := client.Read(make([]byte, 4)); n != 4 || time.Since(begin) != time.Hour {
			t.Errorf("got %d bytes, %v after %v; want 4 after an hour", n, err, time.Since(begin))
		}
	})
}

func TestClosingWhileOneWaitsLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := faultnet.Listen()
		client, server, _ := pair(t, l, l)
		go func() {
			time.Sleep(time.Second)
			_ = client.Close()
		}()
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("our end: got %v, want net.ErrClosed", err)
		}
		if _, err := server.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("the other end: got %v, want io.EOF", err)
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("the other end: got %v, want EPIPE", err)
		}
		_ = l.Close()
		if _, _, err := l.Dial(t.Context()); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dial of a closed listener: got %v, want net.ErrClosed", err)
		}
	})
}
