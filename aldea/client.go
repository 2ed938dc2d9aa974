package aldea

import (
	"context"
	"log/slog"
	"net/url"
)

// A Client opens streams to one recogniser. It remembers which form of authentication worked. It is safe
// for concurrent use and needs no closing.
type Client struct {
	config Config
	url    *url.URL
	auth   authMemory
}

// NewClient checks the configuration and returns a Client. It does not touch the network. Errors name the
// field of Config that is wrong.
func NewClient(config Config) (*Client, error) {
	c := &Client{config: config.withDefaults()}
	if err := c.config.validate(); err != nil {
		return nil, err
	}
	var err error
	if c.url, err = c.config.endpoint(); err != nil {
		return nil, err
	}
	c.auth.form = c.config.Auth
	return c, nil
}

// Open begins a stream and returns at once; the recogniser is dialled in the background. When ctx ends the
// stream ends as if closed, and Next returns the cause. The attributes go on every line the stream logs.
//
// The caller must call Close, or read from Next until it returns an error that is not its context's.
func (c *Client) Open(ctx context.Context, attrs ...slog.Attr) *Stream {
	s := newStream(ctx, c, slog.New(c.config.Logger.Handler().WithAttrs(attrs)))
	go s.run()
	return s
}
