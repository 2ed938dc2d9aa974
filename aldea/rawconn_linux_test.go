package aldea

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"testing"
	"time"
)

// plainPair returns a connection with cheaper writes, and its other end.
func plainPair(t *testing.T) (*plainConn, net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	peer, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = peer.Close() })
	return plain(c).(*plainConn), peer
}

func TestAPlainWriteWaitsForRoomUntilItsDeadline(t *testing.T) {
	c, peer := plainPair(t)
	sent := bytes.Repeat([]byte("0123456789"), 2<<20)
	if err := c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	before, err := c.Write(sent) // the peer does not read
	if !errors.Is(err, os.ErrDeadlineExceeded) || before == 0 || before == len(sent) {
		t.Fatalf("wrote %d bytes, %v, want some and a time-out", before, err)
	}
	if err := c.SetWriteDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	written := make(chan error)
	go func() {
		_, err := c.Write(sent[before:])
		written <- errors.Join(err, c.CloseWrite())
	}()
	got, err := io.ReadAll(peer)
	if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came, %v", len(got), len(sent), err)
	}
}

func TestALazyWriteLeavesWhatThereIsNoRoomFor(t *testing.T) {
	c, peer := plainPair(t)
	c.bufferWrites()
	if err := c.SetWriteDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var sent []byte
	write := func() {
		b := bytes.Repeat([]byte{byte(len(sent) / 3000)}, 3000)
		if n, err := c.Write(b); n != len(b) || err != nil {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
		sent = append(sent, b...)
	}
	for !c.hasPending() { // the peer does not read
		write()
	}
	for range 5 {
		write()
	}
	written := make(chan error)
	go func() {
		written <- errors.Join(c.flush(time.Now().Add(time.Hour)), c.CloseWrite())
	}()
	got, err := io.ReadAll(peer)
	if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came, %v", len(got), len(sent), err)
	}
	if c.hasPending() {
		t.Error("something is left after flush")
	}
}

func TestALazyWriteDoesNotWaitForOneThatWaits(t *testing.T) {
	c, peer := plainPair(t)
	c.bufferWrites()
	message := bytes.Repeat([]byte("0123456789"), 300)
	sent := 0
	write := func() {
		if n, err := c.Write(message); n != len(message) || err != nil {
			t.Fatalf("wrote %d bytes, %v", n, err)
		}
		sent += len(message)
	}
	for !c.hasPending() { // the peer does not read
		write()
	}
	flushed := make(chan error)
	go func() { flushed <- c.flush(time.Now().Add(time.Hour)) }()
	for waits := false; !waits; {
		c.mu.Lock()
		waits = c.busy
		c.mu.Unlock()
		runtime.Gosched()
	}
	write() // returns, although the peer does not read yet
	got := make([]byte, sent)
	if _, err := io.ReadFull(peer, got); err != nil || !bytes.Equal(got, bytes.Repeat(message, sent/len(message))) {
		t.Errorf("what came is not what was written, %v", err)
	}
	if err := <-flushed; err != nil || c.hasPending() {
		t.Errorf("flush: %v, pending: %v", err, c.hasPending())
	}
}

func TestALazyWriteThatLeavesTooMuchWaits(t *testing.T) {
	c, peer := plainPair(t)
	c.bufferWrites()
	sent := bytes.Repeat([]byte("0123456789"), 2<<20)
	written := make(chan error)
	go func() {
		for rest := sent; len(rest) > 0; rest = rest[min(len(rest), 5000):] {
			if _, err := c.Write(rest[:min(len(rest), 5000)]); err != nil {
				written <- err
				return
			}
		}
		written <- errors.Join(c.flush(time.Now().Add(time.Hour)), c.CloseWrite())
	}()
	got, err := io.ReadAll(peer)
	if err := errors.Join(err, <-written); err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d of %d bytes came, %v", len(got), len(sent), err)
	}
}

func TestAPlainWriteFailsLikeAnyOther(t *testing.T) {
	c, _ := plainPair(t)
	if err := c.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	var op *net.OpError
	if n, err := c.Write([]byte("x")); n != 0 || !errors.As(err, &op) || op.Op != "write" {
		t.Errorf("wrote %d bytes, %v behind the end, want a *net.OpError", n, err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := c.Write([]byte("x")); n != 0 || !errors.Is(err, net.ErrClosed) {
		t.Errorf("wrote %d bytes, %v after Close, want net.ErrClosed", n, err)
	}
}

func TestPlainWritesDoNotAllocate(t *testing.T) {
	c, peer := plainPair(t)
	b := make([]byte, 100)
	by := time.Now().Add(time.Hour)
	got := testing.AllocsPerRun(100, func() {
		_ = c.SetWriteDeadline(by)
		if _, err := c.Write(b); err != nil {
			t.Error(err)
		}
		if _, err := io.ReadFull(peer, b); err != nil {
			t.Error(err)
		}
	})
	if got != 0 {
		t.Errorf("%v allocations a write, want 0", got)
	}
}
