package webhooks

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"

	"aldeabridge/internal/egress"
)

// connectTimeout bounds Config.Dial. A guard's dialer has its own timeout.
const connectTimeout = 3 * time.Second

// errProxy replaces errors about a proxy's URL, which may contain a password.
var errProxy = errors.New("webhooks: the proxy's URL cannot be used")

// guard returns the guard that checks the addresses of an endpoint.
func (c Config) guard(e Endpoint) egress.Guard {
	g := egress.Guard{Operator: true}
	if e.Untrusted {
		g = c.Untrusted
		g.Operator = false
	}
	g.Resolver = c.Resolver
	return g
}

func newTransport(c Config, e Endpoint) *http.Transport {
	t := c.guard(e).Transport()
	if c.Dial != nil {
		t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			ctx, cancel := context.WithTimeout(ctx, connectTimeout)
			defer cancel()
			return c.Dial(ctx, network, address)
		}
	}
	t.TLSClientConfig.RootCAs = e.RootCAs
	t.TLSClientConfig.Certificates = e.Certificates
	t.MaxIdleConnsPerHost = e.concurrency()
	if e.Proxy != nil {
		t.Proxy = func(req *http.Request) (*url.URL, error) {
			u, err := e.Proxy(req)
			if err != nil {
				return nil, errProxy
			}
			return u, nil
		}
		t.OnProxyConnectResponse = checkTunnel
	}
	return t
}

// checkTunnel returns an error if a proxy refuses the CONNECT request.
func checkTunnel(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return nil
}
