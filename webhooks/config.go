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

// Config configures a Dispatcher. Endpoints and Journal are required; the zero value of every other field is valid.
type Config struct {
	Endpoints []Endpoint
	Journal   Journal
	// After is the journal position after which delivery starts. Zero means the beginning.
	After int64
	// Version is the version in the user-agent: bridge/<Version>. Empty means "dev".
	Version string

	// Actions gets the body of each 2xx answer to an event of a call that is up; those requests carry bridge-live: 1.
	// If it is nil, bridge-live is always 0. It is called in the order of the lane and must not block.
	Actions func(Reply)
	// Observe gets every finished attempt, in the order of the lane and concurrently for different lanes. No lock is
	// held, but the lane waits: it must not block.
	Observe func(Attempt)

	// Untrusted is the guard of endpoints that are not the operator's. It can allow networks, and should list
	// bridge's own listeners. The zero value allows public addresses only. Its fields Operator and Resolver are
	// ignored.
	Untrusted egress.Guard
	// Resolver resolves host names. Nil means net.DefaultResolver.
	Resolver *net.Resolver
	// Dial replaces the dialer and its check of addresses. It is for tests with in-memory peers.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Transport replaces the HTTP transport. It is for tests.
	Transport http.RoundTripper

	// Jitter returns the factor of a delay. Nil means a random factor from 0.8 to 1.2.
	Jitter func() float64
	// Logger gets dead letters (level Error) and failing endpoints (level Warn). Nil discards them.
	Logger *slog.Logger
}

// jitter returns a random factor from 0.8 to 1.2, so that lanes that failed together are not retried together.
func jitter() float64 { return 0.8 + 0.4*rand.Float64() }

// withDefaults returns c with its defaults filled in, or an error that names the invalid field.
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
