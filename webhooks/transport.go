package webhooks

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"time"
)

const (
	connectTimeout = 3 * time.Second // with the look-up of the name
	tlsTimeout     = 5 * time.Second
	idleTimeout    = 90 * time.Second
	maxHeader      = 64 << 10 // of an answer

	// An HTTP/2 connection carries many lanes: a dead one is found by a ping, before the attempts on it
	// time out one after the other.
	pingAfter   = 3 * time.Second
	pingTimeout = 2 * time.Second
)

// newTransport returns the transport for endpoints with up to concurrency attempts at once.
func newTransport(c Config, concurrency int) *http.Transport {
	dialer := &net.Dialer{Timeout: connectTimeout, Resolver: c.Resolver, Control: checkConnect}
	dial := dialer.DialContext
	if c.Dial != nil {
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTimeout)
			defer cancel()
			return c.Dial(ctx, network, address)
		}
	}
	return &http.Transport{
		Proxy:                  c.Proxy,
		DialContext:            dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: c.RootCAs},
		TLSHandshakeTimeout:    tlsTimeout,
		DisableCompression:     true, // an answer's length is what came over the wire
		MaxIdleConnsPerHost:    max(concurrency, defaultConcurrency),
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}
