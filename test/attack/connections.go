package attack

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"time"
)

// A crowd keeps connections open. One that the bridge closes is opened again soon.
type crowd struct {
	size int
	// hosts is how many source addresses there are, 127.1.0.1 and following. 0 is one, 127.0.0.1.
	hosts int
	// say returns what connection i writes when it is open, in pieces of which one follows each second.
	say func(i int) []string
}

// attack is an attack.
func (c crowd) attack(ctx context.Context, w *world) {
	var all sync.WaitGroup
	for i := range c.size {
		all.Go(func() {
			for ctx.Err() == nil {
				w.hits.Add(1)
				c.connect(ctx, w.bridge.address, i)
				rest(ctx, time.Duration(200+rand.IntN(800))*time.Millisecond)
			}
		})
	}
	all.Wait()
}

// connect holds one connection until the bridge closes it.
func (c crowd) connect(ctx context.Context, address string, i int) {
	d := net.Dialer{}
	if c.hosts > 0 {
		n := i % c.hosts
		d.LocalAddr = &net.TCPAddr{IP: net.IPv4(127, 1, byte(n/250), byte(1+n%250))}
	}
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_, _ = io.Copy(io.Discard, conn)
	}()
	if c.say != nil {
		for _, piece := range c.say(i) {
			if _, err := io.WriteString(conn, piece); err != nil {
				break
			}
			select {
			case <-closed:
				return
			case <-time.After(time.Second):
			}
		}
	}
	<-closed
}

// rest waits for d or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// slowly writes a request's header byte by byte.
func slowly(int) []string {
	return strings.Split("GET /healthz HTTP/1.1\r\nHost: bridge\r\nX-Long: "+strings.Repeat("a", 300), "")
}

// once makes a request and keeps the connection.
func once(int) []string { return []string{"GET /healthz HTTP/1.1\r\nHost: bridge\r\n\r\n"} }

// routes are where a request with a body may go.
var routes = []string{"/healthz", "/voice/twilio", "/v1/calls/CA1/actions", "/media/twilio", "/nowhere", "/"}

// announce announces a body and does not send it.
func announce(length int) func(int) []string {
	return func(i int) []string {
		return []string{fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bridge\r\nContent-Length: %d\r\n\r\n", routes[i%len(routes)], length)}
	}
}

// chunk announces a chunk and does not send it.
func chunk(i int) []string {
	return []string{fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bridge\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n", routes[i%len(routes)], 2<<20)}
}

// form announces a part of a form and sends only its beginning.
func form(i int) []string {
	return []string{fmt.Sprintf("POST %s HTTP/1.1\r\nHost: bridge\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n"+
		"--b\r\nContent-Disposition: form-data; name=\"a\"; filename=\"a\"\r\n\r\n", routes[i%len(routes)], 2<<20)}
}
