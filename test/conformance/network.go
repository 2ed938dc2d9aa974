package conformance

import (
	"context"
	"net"
	"sync"
	"syscall"
	"time"

	"aldeabridge/test/faultnet"
)

// A line is the network as the client sees it.
type line struct {
	network faultnet.Network
	began   time.Time

	mu    sync.Mutex
	down  bool
	links []faultnet.Link
	dials []time.Duration // since began
}

func (l *line) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	l.mu.Lock()
	l.dials = append(l.dials, time.Since(l.began))
	down := l.down
	l.mu.Unlock()
	if down {
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	}
	conn, link, err := l.network.Dial(ctx)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.links = append(l.links, link)
	return conn, nil
}

// reset breaks every connection.
func (l *line) reset() {
	for _, link := range l.all() {
		link.Reset()
	}
}

// freeze makes every connection half open.
func (l *line) freeze() {
	for _, link := range l.all() {
		link.Freeze()
	}
}

// cut breaks every connection and refuses new ones until heal.
func (l *line) cut() {
	l.set(true)
	l.reset()
}

func (l *line) heal() { l.set(false) }

func (l *line) set(down bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = down
}

func (l *line) all() []faultnet.Link {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]faultnet.Link(nil), l.links...)
}

// attempts returns when connections were asked for.
func (l *line) attempts() []time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]time.Duration(nil), l.dials...)
}
