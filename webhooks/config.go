package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"time"

	"aldeabridge/internal/egress"
)

// Config says what a Dispatcher works with. Endpoints and Journal are needed; every other zero is useful.
type Config struct {
	Endpoints []Endpoint
	Journal   Journal
	// After is the position in the journal to start behind. Zero means its beginning.
	After int64
	// Version goes into the user-agent: bridge/<Version>. Empty means "dev".
	Version string

	// Actions gets the body of each 2xx answer to an event of a call that is up; requests say bridge-live: 1
	// then. Nil: bridge-live is always 0. It is called in the order of the lane and must not block.
	Actions func(Reply)
	// Observe gets every attempt when it is over, in the order of the lane, lanes at the same time. No lock
	// is held, but the lane waits: it must not block.
	Observe func(Attempt)

	// Untrusted says where endpoints that are not the operator's may be: it can allow networks, and should name our
	// own listeners. The zero value allows public addresses. Operator in it means nothing, nor does Resolver.
	Untrusted egress.Guard
	// Resolver looks up hosts. Nil means net.DefaultResolver.
	Resolver *net.Resolver
	// Dial replaces the dialer, and with it the check of addresses. It is for tests with peers in memory.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport replaces everything beneath the requests. It is for tests.
	Transport http.RoundTripper

	// Jitter returns the factor of a delay. Nil means random, 0.8 to 1.2.
	Jitter func() float64
	// Logger gets dead letters (Error) and failing endpoints (Warn). Nil means nobody.
	Logger *slog.Logger
}

// jitter is a random factor from 0.8 to 1.2: lanes that failed together do not come back together.
func jitter() float64 { return 0.8 + 0.4*rand.Float64() }

// withDefaults returns c with its zeros filled in, or an error that names what is wrong.
func (c Config) withDefaults() (Config, error) {
	if c.Journal == nil {
		return c, errors.New("webhooks: no journal")
	}
	names := make(map[string]bool)
	for _, e := range c.Endpoints {
		if err := e.check(); err != nil {
			return c, err
		}
		if names[e.Name] {
			return c, fmt.Errorf("webhooks: two endpoints named %s", e.Name)
		}
		names[e.Name] = true
	}
	if c.Version == "" {
		c.Version = "dev"
	}
	if c.Jitter == nil {
		c.Jitter = jitter
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func (e Endpoint) concurrency() int {
	if e.Concurrency == 0 {
		return defaultConcurrency
	}
	return e.Concurrency
}

func (e Endpoint) timeout(live bool) time.Duration {
	switch {
	case e.Timeout != 0:
		return e.Timeout
	case live:
		return liveTimeout
	}
	return lateTimeout
}
