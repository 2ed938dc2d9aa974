package aldea

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// A Client opens streams to one recogniser, at one or several addresses. It remembers which of them work, and
// in which form they take the key. It is safe for concurrent use and needs no closing.
type Client struct {
	config  Config
	guard   *guard
	buffers sync.Pool // of the sockets' write buffers, which are used only while a message is written
}

// NewClient checks the configuration and returns a Client. It does not touch the network. Errors name the
// field of Config that is wrong.
func NewClient(config Config) (*Client, error) {
	c := &Client{config: config.withDefaults()}
	if err := c.config.validate(); err != nil {
		return nil, err
	}
	hosts, err := c.config.hosts()
	if err != nil {
		return nil, err
	}
	c.guard = newGuard(hosts, c.config.MaxConnections, c.dial)
	c.guard.probe.jitter = c.config.Random
	return c, nil
}

// Open begins a stream and returns at once; the recogniser is dialled in the background. When ctx ends the
// stream ends as if closed, and Next returns the cause. The attributes go on every line the stream logs.
//
// The caller must call Close, or read from Next until it returns an error that is not its context's.
func (c *Client) Open(ctx context.Context, attrs ...slog.Attr) *Stream {
	s := newStream(ctx, c, slog.New(c.config.Logger.Handler().WithAttrs(attrs)))
	s.waiter = c.guard.join(time.Now())
	go s.run()
	return s
}
