package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// A caller is one call.
type caller struct {
	socket socket
	number int
	frame  []byte // the message, with room for numbers and payload
	at     offsets
	sent   []int64 // when each frame was, by the wall clock
	rest   []byte  // of a frame that the socket had no room for
	dead   bool    // the connection broke
	over   bool    // stop was sent
	closed bool    // the server closed the connection after it
}

// offsets are where the changing parts of a frame are.
type offsets struct{ sequence, chunk, timestamp, payload int }

func newCaller(number int) *caller {
	c := &caller{number: number, sent: make([]int64, 0, 4096)}
	text := fmt.Sprintf(`{"event":"media","sequenceNumber":"%07d","media":{"track":"inbound","chunk":"%07d","timestamp":"%07d","payload":"%s"},"streamSid":"%s"}`,
		0, 0, 0, strings.Repeat("/", samplesBytes), c.streamSID())
	c.frame = appendFrame(nil, opText, text, true)
	find := func(key string) int { return strings.Index(string(c.frame), key) + len(key) }
	c.at = offsets{find(`"sequenceNumber":"`), find(`"chunk":"`), find(`"timestamp":"`), find(`"payload":"`)}
	return c
}

func (c *caller) callSID() string   { return fmt.Sprintf("CA%032x", c.number) }
func (c *caller) streamSID() string { return fmt.Sprintf("MZ%032x", c.number) }

// put writes a number of seven digits.
func put(b []byte, n int) {
	for i := 6; i >= 0; i-- {
		b[i] = byte('0' + n%10)
		n /= 10
	}
}

// first is the first of every sequence: seven digits from the beginning.
const first = 1000000

// send writes the next frame. It answers false when the socket had no room for it.
func (c *caller) send(v *voices, now time.Time) bool {
	if len(c.rest) > 0 {
		n, _ := c.socket.write(c.rest)
		if c.rest = c.rest[n:]; len(c.rest) > 0 {
			return false
		}
	}
	n := len(c.sent)
	put(c.frame[c.at.sequence:], first+n)
	put(c.frame[c.at.chunk:], first+n)
	put(c.frame[c.at.timestamp:], first+20*n)
	copy(c.frame[c.at.payload:], v.payload(c.number, n))
	c.sent = append(c.sent, now.UnixNano())
	written, err := c.socket.write(c.frame)
	if err != nil {
		c.dead = true
		return false
	}
	if written < len(c.frame) {
		c.rest = slices.Clone(c.frame[written:])
	}
	return true
}

// open connects, upgrades and starts the stream.
func (c *caller) open(address string) error {
	conn, err := net.DialTimeout("tcp", address, 10*time.Second)
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(conn, "GET /media/twilio HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", address)
	head := bufio.NewReaderSize(conn, 1024)
	status, err := head.ReadString('\n')
	if err == nil && !strings.Contains(status, " 101 ") {
		err = fmt.Errorf("%w: %s", errRefused, strings.TrimSpace(status))
	}
	for line := ""; err == nil && line != "\r\n"; {
		line, err = head.ReadString('\n')
	}
	if err != nil {
		_ = conn.Close()
		return err
	}
	if c.socket, err = take(conn.(*net.TCPConn)); err != nil {
		return err
	}
	b := appendFrame(nil, opText, `{"event":"connected","protocol":"Call","version":"1.0.0"}`, true)
	b = appendFrame(b, opText, fmt.Sprintf(`{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC%032x","streamSid":"%s","callSid":"%s",`+
		`"tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}},"streamSid":"%s"}`,
		1, c.streamSID(), c.callSID(), c.streamSID()), true)
	_, err = c.socket.write(b)
	return err
}

// errRefused means that the server did not upgrade the connection.
var errRefused = errors.New("refused")

// stop hangs up as a carrier does.
func (c *caller) stop() {
	c.over = true
	_, _ = c.socket.write(c.rest)
	_, _ = c.socket.write(appendFrame(nil, opText, fmt.Sprintf(`{"event":"stop","sequenceNumber":"%d","streamSid":"%s","stop":{"accountSid":"AC%032x","callSid":"%s"}}`,
		first+len(c.sent), c.streamSID(), 1, c.callSID()), true))
}

// drain reads whatever came, and closes the connection if the server did.
func (c *caller) drain() {
	var b [4096]byte
	for !c.closed {
		n, err := c.socket.read(b[:])
		if err == nil && n == 0 {
			return
		}
		if err != nil {
			c.leave()
		}
	}
}

func (c *caller) leave() {
	c.socket.close()
	c.closed = true
}
