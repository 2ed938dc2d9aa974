package aldea

import (
	"maps"
	"time"
)

// Health is what a Client knows about its recognizers at one moment.
type Health struct {
	// Hosts are the addresses in order of preference.
	Hosts []HostHealth
	// Streams are open, Connections are established, and Waiting are the streams that have none.
	Streams, Connections, Waiting int
	// Queued are the streams that wait because Config.MaxConnections are in use.
	Queued int
	// Refused are the streams that all hosts refuse. They try again every now and then.
	Refused int
	// Setbacks counts the losses and the failed attempts of all streams by their cause.
	Setbacks map[Cause]int64
	// Malformed counts messages that could not be parsed, Unknown those of unknown types, Odd those that were not as
	// documented but could be used, and Slowed how often reading waited because a server sent more than it needs to.
	Malformed, Unknown, Odd, Slowed int64
}

// HostHealth is what a Client knows about one address.
type HostHealth struct {
	// Host is the name, and the port if one was given.
	Host string
	// Mode says how carefully it is dialled.
	Mode Mode
	// Trusted says that it is believed to work: new connections go there if no better one is trusted.
	Trusted bool
	// HeldUntil is when it may be dialled again, as it asked for; zero or past if it did not.
	HeldUntil time.Time
	// Connections are established, Dialing are attempts under way.
	Connections, Dialing int
	// Dials counts the attempts that began, Failures those of them that failed, Losses the established
	// connections that ended before the stream did.
	Dials, Failures, Losses int64
}

// Ready reports whether a stream that is opened now can expect to be served soon, and no stream is refused.
func (h Health) Ready() bool {
	if h.Refused > 0 {
		return false
	}
	for _, host := range h.Hosts {
		if host.Trusted {
			return true
		}
	}
	return false
}

// Health returns the present state. It may be called at any time.
func (c *Client) Health() Health {
	g := c.guard
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.relax(now)
	health := Health{
		Streams: g.streams, Connections: g.open, Waiting: max(0, g.streams-g.open), Refused: g.refused, Setbacks: maps.Clone(g.causes),
		Malformed: g.messages.malformed.Load(), Unknown: g.messages.unknown.Load(), Odd: g.messages.odd.Load(), Slowed: g.messages.slowed.Load(),
	}
	for _, w := range g.waiting {
		if !w.placed && g.full() {
			health.Queued++
		}
	}
	for _, h := range g.hosts {
		health.Hosts = append(health.Hosts, HostHealth{
			Host: h.url.Host, Mode: h.mode, Trusted: h.trusted(now), HeldUntil: h.heldUntil,
			Connections: h.open, Dialing: h.dialing,
			Dials: h.dials, Failures: h.failed, Losses: h.lost,
		})
	}
	return health
}
