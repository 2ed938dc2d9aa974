package media_test

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
)

// masked is a text frame as a WebSocket client sends it (RFC 6455 section 5.2), with a mask of zeros.
func masked(b []byte, text string) []byte {
	if len(text) < 126 {
		b = append(b, 0x81, 0x80|byte(len(text)))
	} else {
		b = append(b, 0x81, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	}
	return append(append(b, 0, 0, 0, 0), text...)
}

// BenchmarkStream measures a frame from the socket to the Receiver: a connection on this machine whose other
// end writes a second of frames at a time.
func BenchmarkStream(b *testing.B) {
	const burst = 50
	heard := newTally(burst)
	srv := serve(b, &media.Server{Serve: func(ctx context.Context, st *media.Stream) { st.Receive(ctx, heard) }})
	conn, err := net.Dial("tcp", srv.addr)
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	upgrade(b, conn)
	if _, err := conn.Write(masked(nil, rawStart)); err != nil {
		b.Fatal(err)
	}
	// Without timestamps one burst can be sent again and again.
	var frames []byte
	for range burst {
		frames = masked(frames, strings.Replace(rawMedia(0), `"timestamp":"0"`, `"chunk":"1"`, 1))
	}
	b.SetBytes(int64(len(frames)) / burst)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if i%burst > 0 {
			continue // one burst is as many operations
		}
		if _, err := conn.Write(frames); err != nil {
			b.Fatal(err)
		}
		<-heard.full
	}
}

// A tally is a Receiver that counts samples and tells about every so many.
type tally struct {
	n, every int
	full     chan struct{}
}

func newTally(frames int) *tally { return &tally{every: frames * 160, full: make(chan struct{}, 1)} }

func (t *tally) Audio(_ media.Track, mulaw []byte) {
	if t.n += len(mulaw); t.n%t.every == 0 {
		t.full <- struct{}{}
	}
}
func (t *tally) DTMF(string, time.Duration) {}
func (t *tally) Mark(string)                {}

// upgrade opens the WebSocket by hand.
func upgrade(tb testing.TB, conn net.Conn) {
	tb.Helper()
	_, err := io.WriteString(conn, "GET /media/twilio HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		tb.Fatal(err)
	}
	var answer strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(answer.String(), "\r\n\r\n"); {
		if _, err := conn.Read(b); err != nil {
			tb.Fatalf("after %q: %v", answer.String(), err)
		}
		answer.Write(b)
	}
	if !strings.HasPrefix(answer.String(), "HTTP/1.1 101 ") {
		tb.Fatalf("got %q, want 101", answer.String())
	}
}

// BenchmarkReadDeadline measures what a read deadline for each frame would cost: the stream's watch makes it
// needless.
func BenchmarkReadDeadline(b *testing.B) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	conn, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer conn.Close()
	for b.Loop() {
		if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
			b.Fatal(err)
		}
	}
}
