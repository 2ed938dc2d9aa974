package main

import (
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// recognizerServer is the server.
type recognizerServer struct {
	every int // each how-manieth call is read at once

	mu      sync.Mutex
	n       int
	resumed int // of these, by a TLS session
	lazy    []*recognizerStream
	results map[int][]arrival
	finals  int
}

// recognizer runs the recognizer's stand-in. GET /report says what it heard, when the calls are over.
func recognizer(args []string) error {
	flags := flag.NewFlagSet("recognizer", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address")
	calls := flags.Int("calls", 1, "how many calls will come")
	pair := flags.String("tls", "", "file with certificate and key; without it there is no TLS")
	if err := flags.Parse(args); err != nil {
		return err
	}
	config, err := readCertificate(*pair)
	if err != nil {
		return err
	}
	s := newEars(*calls)
	go s.sweep()
	return serve(*listen, config, s)
}

func newEars(calls int) *recognizerServer {
	return &recognizerServer{every: (calls + measured - 1) / measured, results: map[int][]arrival{}}
}

func (s *recognizerServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/report" {
		s.mu.Lock()
		defer s.mu.Unlock()
		_ = json.NewEncoder(w).Encode(recognizerReport{s.finals, s.results, s.n, s.resumed})
		return
	}
	conn, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_ = conn.SetDeadline(time.Time{})
	sum := sha1.Sum([]byte(r.Header.Get("Sec-WebSocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	answer := "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " +
		base64.StdEncoding.EncodeToString(sum[:]) + "\r\n"
	if offered, _, _ := strings.Cut(r.Header.Get("Sec-WebSocket-Protocol"), ","); offered != "" {
		answer += "Sec-WebSocket-Protocol: " + offered + "\r\n"
	}
	if _, err := conn.Write([]byte(answer + "\r\n")); err != nil {
		_ = conn.Close()
		return
	}
	s.mu.Lock()
	eager := s.n%s.every == 0
	s.n++
	if r.TLS != nil && r.TLS.DidResume {
		s.resumed++
	}
	s.mu.Unlock()
	e := &recognizerStream{raw: r.URL.Path == "/relay", eager: eager}
	tcp, plain := conn.(*net.TCPConn)
	if eager || !plain {
		s.listen(e, conn)
		return
	}
	if e.socket, err = take(tcp); err != nil {
		return
	}
	e.write = e.socket.write
	s.mu.Lock()
	s.lazy = append(s.lazy, e)
	s.mu.Unlock()
}

// listen reads one call the moment something comes. Behind TLS that is how all are read.
func (s *recognizerServer) listen(e *recognizerStream, conn net.Conn) {
	defer conn.Close()
	e.write = conn.Write
	if tcp, plain := conn.(*net.TCPConn); plain {
		f, err := tcp.File() // to write to
		if err != nil {
			return
		}
		defer f.Close()
		e.write = socket(f.Fd()).write
	}
	var b [8192]byte
	for {
		n, err := conn.Read(b[:])
		if err != nil || !e.feed(b[:n], time.Now()) {
			break
		}
	}
	s.note(e)
}

// sweep reads all other calls now and then.
func (s *recognizerServer) sweep() {
	b := make([]byte, 64<<10)
	for {
		time.Sleep(sweepEvery)
		s.mu.Lock()
		all := s.lazy
		s.lazy = nil
		s.mu.Unlock()
		now, keep := time.Now(), all[:0]
		for _, e := range all {
			n, err := e.socket.read(b)
			if err == nil && (n == 0 || e.feed(b[:n], now)) {
				keep = append(keep, e)
				continue
			}
			e.socket.close()
			s.note(e)
		}
		s.mu.Lock()
		s.lazy = append(keep, s.lazy...)
		s.mu.Unlock()
	}
}

func (s *recognizerServer) note(e *recognizerStream) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.finals += e.finals
	if e.eager {
		s.results[e.name] = e.arrivals
	}
}

// A recognizerReport is what the recognizer received.
type recognizerReport struct {
	Finals   int               `json:"finals"`
	Arrivals map[int][]arrival `json:"arrivals"` // by call

	Connections int `json:"connections"`
	Resumed     int `json:"resumed"` // of these, by a TLS session
}
