package aldea

import (
	"bufio"
	"bytes"
	"compress/flate"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// accept answers a handshake on a raw connection with 101 and more headers. It reports whether one came.
func accept(c net.Conn, headers string) bool {
	request, err := http.ReadRequest(bufio.NewReader(c))
	if err != nil {
		return false
	}
	sum := sha1.Sum([]byte(request.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	_, err = fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n%s\r\n", base64.StdEncoding.EncodeToString(sum[:]), headers)
	return err == nil
}

// wire makes connection n (from 1) of a peer one that serve handles byte by byte, for as long as serve is not nil.
func wire(t *testing.T, p *peer, serve func(n int) func(net.Conn)) func(*Config) {
	n := 0
	return func(c *Config) {
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			n++
			f := serve(n)
			if f == nil {
				return p.dialPipe(ctx, network, addr)
			}
			ours, theirs := net.Pipe()
			served := make(chan struct{})
			go func() {
				defer close(served)
				f(theirs)
			}()
			t.Cleanup(func() {
				_ = theirs.Close()
				<-served
			})
			return ours, nil
		}
	}
}

func TestAHandshakeThatIsNotAnsweredRightIsTriedAgain(t *testing.T) {
	for name, headers := range map[string]string{
		"compression that was not asked for": "Sec-WebSocket-Extensions: permessage-deflate\r\n",
		"the same with a window":             "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=10\r\n",
		"a wrong Sec-WebSocket-Accept":       "Sec-WebSocket-Accept: AAAA\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				client := p.client(wire(t, p, func(n int) func(net.Conn) {
					if n > 4 {
						return nil
					}
					return func(c net.Conn) {
						if strings.Contains(headers, "Accept") {
							_, _ = http.ReadRequest(bufio.NewReader(c))
							_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+headers+"\r\n")
						} else {
							accept(c, headers)
						}
						_, _ = io.Copy(io.Discard, c)
					}
				}))
				s := open(t, client)
				speak(s, 0, samples(20*time.Second))
				s.CloseSend()
				messages, err := collect(s)
				wantEOF(t, err)
				if got := finals(messages); len(got) != 1 || got[0].Start != 0 || got[0].End != 20*time.Second {
					t.Errorf("got %+v, want all of it in the end", list(got))
				}
				if got := troubles(messages); len(got) != 2 || !strings.HasPrefix(got[0], "degraded unreachable") {
					t.Errorf("got %v, want to be told", got)
				}
			})
		})
	}
}

func TestAnEndlessAnswerToTheHandshakeIsCutOff(t *testing.T) {
	for name, begin := range map[string]string{
		"headers":  "HTTP/1.1 101 Switching Protocols\r\n",
		"one line": "HTTP/1.1 200 OK\r\nX: ",
	} {
		synctest.Test(t, func(t *testing.T) {
			p := newPeer(t)
			sent := 0
			client := p.client(wire(t, p, func(int) func(net.Conn) {
				return func(c net.Conn) {
					_, _ = http.ReadRequest(bufio.NewReader(c))
					_, err := io.WriteString(c, begin)
					line := strings.Repeat("x", 1022)
					if name == "headers" {
						line = "X: " + line[5:] + "\r\n"
					}
					for err == nil {
						var n int
						n, err = io.WriteString(c, line)
						sent += n
					}
				}
			}))
			_, err := client.dial(t.Context(), client.guard.hosts[0], AuthSubprotocol)
			synctest.Wait() // until the server has noticed
			if !errors.Is(err, errLongHandshake) || sent > maxHandshake {
				t.Errorf("%s: got %v after %d bytes, want it cut off after %d", name, err, sent, maxHandshake)
			}
		})
	}
}

// deflated is one frame with a compressed text message.
func deflated(text []byte) []byte {
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = w.Write(text)
	_ = w.Flush()
	payload := bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
	frame := binary.BigEndian.AppendUint64([]byte{0x80 | 0x40 | 1, 127}, uint64(len(payload)))
	return append(frame, payload...)
}

func TestMessagesThatAnnounceOrBecomeTooMuchAreNotTaken(t *testing.T) {
	const compressed = "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n"
	fragment := append([]byte{0x00, 126, 0xff, 0xff}, make([]byte, 0xffff)...)
	for name, test := range map[string]struct {
		headers string
		bytes   []byte
	}{
		"announced":       {"", []byte{0x81, 127, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		"beyond an int64": {"", []byte{0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		"in fragments":    {"", append([]byte{0x01, 126, 0xff, 0xff}, bytes.Repeat(fragment, 20)[4:]...)},
		"compressed":      {compressed, deflated(make([]byte, 4<<20))},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				p := newPeer(t)
				client := p.client(wire(t, p, func(n int) func(net.Conn) {
					if n > 1 {
						return nil
					}
					return func(c net.Conn) {
						if accept(c, test.headers) {
							go func() { _, _ = c.Write(test.bytes) }()
						}
						_, _ = io.Copy(io.Discard, c)
					}
				}))
				s := open(t, client)
				speak(s, 0, 16000)
				s.CloseSend()
				messages, err := collect(s)
				wantEOF(t, err)
				if got := finals(messages); len(got) != 1 || got[0].End != 2*time.Second {
					t.Errorf("got %+v, want all of it from the next connection", list(got))
				}
			})
		})
	}
}

func TestAMessageIsBoundedAfterItIsUnpacked(t *testing.T) {
	c := &conn{texts: new(sync.Pool), config: &Config{}}
	if _, err := c.fill(io.LimitReader(zeros{}, 100<<20)); !errors.Is(err, error(errLongMessage)) || c.buf.Cap() > 4*readLimit {
		t.Errorf("got %v and %d bytes of memory, want the message refused", err, c.buf.Cap())
	}
}

// zeros has no end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
