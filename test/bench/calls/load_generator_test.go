package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

// listenOnce answers one connection with a status and returns what events came until the call was over.
func listenOnce(t *testing.T, status string) (address string, heard <-chan []string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	all := make(chan []string, 1)
	go func() {
		var seen []string
		defer func() { all <- seen }()
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		if _, err := http.ReadRequest(r); err != nil {
			return
		}
		_, _ = conn.Write([]byte("HTTP/1.1 " + status + "\r\n\r\n"))
		var left []byte
		for b := make([]byte, 8192); ; {
			n, err := r.Read(b)
			if err != nil {
				return
			}
			left = append(left, b[:n]...)
			for {
				f, rest, ok := parseFrame(left)
				if !ok {
					break
				}
				event, _, _ := strings.Cut(strings.TrimPrefix(f.text(), `{"event":"`), `"`)
				seen = append(seen, event)
				left = rest
				if event == "stop" {
					return
				}
			}
		}
	}()
	return l.Addr().String(), all
}

func TestACallHangsUpAfterItsTime(t *testing.T) {
	address, heard := listenOnce(t, "101 Switching Protocols")
	w := &wheel{voices: newVoices(), join: make(chan *caller, 1), stay: 3}
	turned := make(chan struct{})
	go func() { defer close(turned); w.turn() }()
	r := place(w, address, 1, 200)
	got := strings.Join(<-heard, " ")
	w.over.Store(true)
	<-turned
	if want := "connected start media media media stop"; got != want {
		t.Errorf("the server heard %q, want %q", got, want)
	}
	if open := w.hangUp(false); r.Failed+r.Refused+open != 0 || len(w.all) != 1 || len(w.all[0].sent) != 3 {
		t.Errorf("%+v, %d open, want one call of three frames that the server closed", r, open)
	}
}

func TestARefusedCallIsCountedAsSuch(t *testing.T) {
	address, heard := listenOnce(t, "503 Service Unavailable")
	r := place(&wheel{}, address, 1, 200)
	<-heard
	if r.Refused != 1 || r.Failed != 0 || r.Setup.Max != 0 {
		t.Errorf("got %+v, want one refused and no set-up time", r)
	}
}
