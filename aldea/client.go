package aldea

import (
	"context"
	"log/slog"
	"net/url"
	"sync"
	"time"
)

// A Client opens streams to one recognizer, at one or several addresses. It remembers which of them work, and
// in which form they take the key. It is safe for concurrent use and needs no closing.
type Client struct {
	config     Config
	urls       []*url.URL // what is dialled, by the index of the host
	particular bool       // other streams of the guard have other settings
	fallback   *Client    // whose settings count if these are refused; nil if there are none
	// Shared with the clients that With makes:
	guard *guard
	pools *pools
}

// pools hold what a stream needs only now and then, for all streams together.
type pools struct {
	buffers     sync.Pool // of the sockets' write buffers
	sendBuffers sync.Pool // of *sendBuffers
	texts       sync.Pool // of *bytes.Buffer, for the recognizer's messages
	pieces      sync.Pool // of *piece
}

// NewClient checks the configuration and returns a Client. It does not touch the network. Errors name the
// field of Config that is wrong.
func NewClient(config Config) (*Client, error) {
	c := &Client{config: config.withDefaults(), pools: &pools{}}
	if err := c.check(); err != nil {
		return nil, err
	}
	c.guard = newGuard(c.hosts(), c.config.MaxConnections, c.dial)
	c.guard.probe.jitter = c.config.Random
	return c, nil
}

// check validates the configuration and finds out what is to be dialled.
func (c *Client) check() (err error) {
	if err := c.config.validate(); err != nil {
		return err
	}
	c.urls, err = c.config.urls()
	return err
}

// hosts returns new hosts, in order of preference.
func (c *Client) hosts() []*host {
	hosts := make([]*host, len(c.urls))
	for i, u := range c.urls {
		hosts[i] = &host{index: i, url: u, mode: ModeHealthy, auth: authMemory{form: c.config.Auth}, jitter: c.config.Random}
	}
	return hosts
}

// Open begins a stream and returns at once; the recognizer is dialled in the background. When ctx ends the
// stream ends as if closed, and Next returns the cause. The attributes go on every line the stream logs.
//
// The caller must call Close, or read from Next until it returns an error that is not its context's.
func (c *Client) Open(ctx context.Context, attrs ...slog.Attr) *Stream {
	s := newStream(ctx, c, slog.New(c.config.Logger.Handler().WithAttrs(attrs)))
	s.waiter = c.guard.join(time.Now())
	s.waiter.particular = c.particular
	go s.run()
	return s
}
