package listen

import (
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Defaults of a Config.
const (
	DefaultTotal = 2048
	// perAddressShare is which part of the total one address may have by default.
	perAddressShare = 8
	// leastPerAddress is the least that one address may have by default: a browser opens six connections.
	leastPerAddress = 16
)

// Config says what a Listener allows. The zero value is ready for use.
type Config struct {
	Total      int            // connections at once, but for those that left. 0 means DefaultTotal, 2 is the least
	PerAddress int            // waiting connections of one address. 0 means an eighth of Total, at least 16
	Trusted    []netip.Prefix // proxies whose X-Forwarded-For is believed
	Logger     *slog.Logger   // nil means silence
}

// A Listener is a net.Listener whose connections are *Conn. Its methods may be called concurrently.
type Listener struct {
	net.Listener
	config Config
	places places

	acceptFailures    atomic.Int64
	closedTotal       atomic.Int64
	closedAddress     atomic.Int64
	closedDescriptors atomic.Int64
	crowded           limited // the log line about connections that were closed

	once sync.Once
	done chan struct{} // closed by Close
}

// New returns a listener that accepts from l. Closing it closes l.
func New(l net.Listener, c Config) *Listener {
	if c.Total == 0 {
		c.Total = DefaultTotal
	}
	c.Total = max(c.Total, 2)
	if c.PerAddress == 0 {
		c.PerAddress = max(c.Total/perAddressShare, leastPerAddress)
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return &Listener{
		Listener: l,
		config:   c,
		places:   places{total: c.Total, perAddress: c.PerAddress, freed: make(chan struct{}, 1)},
		done:     make(chan struct{}),
	}
}

// Accept waits for a connection. It returns an error only if the listener is closed or broken. While the operating system has
// no room for connections it pauses, and closes connections that wait.
func (l *Listener) Accept() (net.Conn, error) {
	nc, err := l.accept()
	if err != nil {
		return nil, err
	}
	c := &Conn{Conn: nc, of: l, peer: addressOf(nc)}
	if !trusted(l.config.Trusted, c.peer) {
		c.address = network(c.peer)
	}
	if !l.enter(c) {
		_ = nc.Close()
		return nil, net.ErrClosed
	}
	return c, nil
}

// enter counts a connection, and makes room for it first. It reports whether the listener is still open.
func (l *Listener) enter(c *Conn) bool {
	for {
		victim, wait := l.places.enter(c, time.Now())
		l.closeTo(victim)
		if wait == 0 {
			return true
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-l.places.freed:
		case <-l.done:
			timer.Stop()
			return false
		}
		timer.Stop()
	}
}

// closeTo closes a connection to make room for another, if there is one to close.
func (l *Listener) closeTo(v victim) {
	if v.conn == nil {
		return
	}
	l.counter(v.reason).Add(1)
	_ = v.conn.Conn.Close() // its server closes it again, which is harmless
	if n, ok := l.crowded.next(time.Now()); ok {
		l.config.Logger.Warn("too many connections: closing those that have waited longest for a request", "reason", string(v.reason),
			"closed", n, "limit", l.config.Total, "limit_per_address", l.config.PerAddress)
	}
}

func (l *Listener) counter(why reason) *atomic.Int64 {
	switch why {
	case reasonAddress:
		return &l.closedAddress
	case reasonDescriptors:
		return &l.closedDescriptors
	}
	return &l.closedTotal
}

// Close stops accepting. Connections stay open.
func (l *Listener) Close() error {
	l.once.Do(func() { close(l.done) })
	return l.Listener.Close()
}

// Stats are numbers for metrics.
type Stats struct {
	Open              int   // connections that count: all but those that left
	Kept              int   // of these, those that Keep protects
	Limit             int   // of Open
	AcceptFailures    int64 // attempts to accept that the operating system refused
	ClosedTotal       int64 // connections closed because there were Limit
	ClosedAddress     int64 // connections closed because their address had too many
	ClosedDescriptors int64 // connections closed because the system had no descriptors
}

// Stats returns how the listener does.
func (l *Listener) Stats() Stats {
	open, kept := l.places.counts()
	return Stats{
		Open: open, Kept: kept, Limit: l.config.Total, AcceptFailures: l.acceptFailures.Load(),
		ClosedTotal: l.closedTotal.Load(), ClosedAddress: l.closedAddress.Load(), ClosedDescriptors: l.closedDescriptors.Load(),
	}
}
