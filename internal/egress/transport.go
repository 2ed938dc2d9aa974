package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

const (
	connectTimeout = 3 * time.Second // with the look-up of the name
	tlsTimeout     = 5 * time.Second
	idleTimeout    = 30 * time.Second // of a connection that nothing is sent on: a burst must not hold descriptors for long
	maxHeader      = 64 << 10         // of an answer

	// An HTTP/2 connection carries many requests: a dead one is found by a ping, before those on it
	// time out one after the other.
	pingAfter   = 3 * time.Second
	pingTimeout = 2 * time.Second
)

// Transport returns a new transport that connects where g lets it: within 3 s, with TLS 1.2 or later within 5 s more,
// without a proxy. Its answers are as they came over the wire, not decompressed. The caller may change it before its first
// use, as long as DialContext stays. The whole request is bounded by its context, and the body of the answer by
// its reader.
func (g Guard) Transport() *http.Transport {
	return &http.Transport{
		DialContext:            g.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    tlsTimeout,
		DisableCompression:     true,
		IdleConnTimeout:        idleTimeout,
		MaxResponseHeaderBytes: maxHeader,
		ForceAttemptHTTP2:      true,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

// dial connects. To a stranger it does not tell what a name means in this network.
func (g Guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectTimeout, Resolver: g.Resolver, Control: g.Control}
	c, err := d.DialContext(ctx, network, address)
	if !g.Operator && errors.Is(err, ErrAddressRefused) {
		return nil, ErrAddressRefused
	}
	return c, err
}

// Client returns a new client with a transport of its own. It does not follow redirects: the answer is the redirect. What
// URL refuses fails. Close its idle connections when it is not needed any more.
func (g Guard) Client() *http.Client {
	return &http.Client{
		Transport:     checked{g, g.Transport()},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// checked is a transport that looks at URLs too.
type checked struct {
	guard Guard
	*http.Transport
}

func (c checked) RoundTrip(req *http.Request) (*http.Response, error) {
	if err := c.guard.check(req.URL); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // a RoundTripper closes it, whatever happens
		}
		return nil, err
	}
	return c.Transport.RoundTrip(req)
}
