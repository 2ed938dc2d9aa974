package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/aldea"
)

// From the carrier's socket to the recognizer's, with all that lies between: parsing, time line, call, replay buffer, linear16.
func TestAFrameAllocatesNothing(t *testing.T) {
	const frames = 5                      // that come together
	const message = 14 - 6 + frames*640   // what they become: a header of 8 bytes and linear16 at 16 kHz
	const warm, measured = 6 * 10, 3 * 10 // of such; the silence that is kept for a replay is full after 5 seconds
	heard := &counter{each: message, more: make(chan struct{}, 1)}
	recognizer := httptest.NewServer(heard)
	defer recognizer.Close()
	s, err := newServer(options{
		Listen: "127.0.0.1:0", MaxCalls: 1, Grace: 100 * time.Millisecond, Tick: 10 * time.Millisecond,
		Journal: journalOptions{inMemory: true},
		Aldea:   aldeaOptions{URL: recognizer.URL, SampleRate: 16000, Language: "en", Endpointing: "300"},
		secrets: secrets{aldeaKey: "org_test"},
	}, hooks{aldea: func(c *aldea.Config) { c.ReplaySpeed, c.Chunk = -1, 100*time.Millisecond }}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- s.run(ctx) }()
	defer func() { stop(); <-stopped }()

	carrier := carrierSocket(t, s.listener.Addr().String())
	defer carrier.Close()
	if _, err := carrier.Write(textFrame(nil, `{"event":"start","start":{"streamSid":"MZ1","callSid":"CA1","tracks":["inbound"],`+
		`"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}},"streamSid":"MZ1"}`)); err != nil {
		t.Fatal(err)
	}
	silence := base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xFF}, 160))
	var together []byte
	for range frames {
		together = textFrame(together, `{"event":"media","media":{"track":"inbound","chunk":"1","payload":"`+silence+`"},"streamSid":"MZ1"}`)
	}
	send := func() {
		if _, err := carrier.Write(together); err != nil {
			t.Fatal(err)
		}
		<-heard.more
	}
	for range warm {
		send()
	}
	got := testing.AllocsPerRun(measured, send)
	most := 0.0
	if underRace {
		most = 5 // it makes pools forget some of what is given back to them
	}
	if got > most {
		t.Errorf("%v allocations for %d frames, want %v at most", got, frames, most)
	}
	if n := heard.bytes.Load(); n < (warm+measured)*message {
		t.Errorf("%d bytes were heard, want %d for each %d frames", n, message, frames)
	}
}

// A counter is a recognizer that counts bytes and signals each batch of them, without allocating.
type counter struct {
	each  int64
	bytes atomic.Int64
	more  chan struct{}
}

func (h *counter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: token\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", base64.StdEncoding.EncodeToString(sum[:]))
	var b [8192]byte
	for {
		n, err := conn.Read(b[:])
		if err != nil {
			return
		}
		before := h.bytes.Load() / h.each
		if h.bytes.Add(int64(n))/h.each > before {
			h.more <- struct{}{}
		}
	}
}

// carrierSocket opens a stream's WebSocket by hand.
func carrierSocket(t *testing.T, address string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.WriteString(conn, "GET /media/twilio HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		t.Fatalf("got %v, want 101", resp.Status)
	}
	return conn
}

// textFrame appends a masked text message of 126 bytes or more (RFC 6455 section 5.2).
func textFrame(b []byte, text string) []byte {
	b = append(b, 0x81, 0x80|126)
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	return append(append(b, 0, 0, 0, 0), text...)
}
