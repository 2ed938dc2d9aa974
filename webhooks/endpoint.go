package webhooks

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/egress"
)

// An Endpoint is where events go. It is the operator's unless it says otherwise: it may be plain http and on any network
// but that of cloud metadata. Printed or logged it shows its name only.
type Endpoint struct {
	// Name is what logs, metrics and the journal call it. Names are unique and not empty.
	Name string
	// URL is http or https. A user and a password in it become Basic authentication.
	URL string
	// Secrets sign, newest first: one to four, of which each gives a signature.
	Secrets []Secret
	// Types are the events it wants. Empty means all.
	Types []events.Type
	// Header is sent with each request. It may not hold a header that webhooks set by themselves.
	Header http.Header
	// Timeout bounds one attempt, from dialling to the last byte of the answer: 1 s to 30 s. Zero means
	// 10 s while the call is up and 15 s after.
	Timeout time.Duration
	// Concurrency bounds the attempts under way at once. Zero means 64.
	Concurrency int

	// RootCAs are the authorities that may have signed its certificate. Nil means those of the system.
	RootCAs *x509.CertPool
	// Certificates are shown to an endpoint that asks who we are (mutual TLS): the first that it accepts.
	Certificates []tls.Certificate
	// Proxy chooses a proxy, as in http.Transport: an http, https or socks5 URL, whose user and password
	// are for the proxy. Nil means none; http.ProxyFromEnvironment asks the environment. An https proxy is verified
	// with RootCAs too. It is the proxy that connects to the endpoint then, and checking the address
	// is its job; what is checked here is the address of the proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// Untrusted means that the URL is not the operator's, but came from somebody who may want to reach what only this
	// machine can reach. It is https then, without user and password, on port 443 or 8443, and its address is public,
	// or as Config.Untrusted says. An event for any other address is dead at once (ReasonAddressRefused). It has no
	// Proxy.
	Untrusted bool
}

// String is the endpoint's name.
func (e Endpoint) String() string { return e.Name }

// GoString is the endpoint's name.
func (e Endpoint) GoString() string { return e.Name }

// LogValue is the endpoint's name.
func (e Endpoint) LogValue() slog.Value { return slog.StringValue(e.Name) }

const (
	defaultConcurrency = 64
	liveTimeout        = 10 * time.Second
	lateTimeout        = 15 * time.Second
	minTimeout         = time.Second
	maxTimeout         = 30 * time.Second
)

// reservedHeaders are those that requests carry by themselves, in canonical form, and those that belong to
// the connection.
var reservedHeaders = [...]string{
	"Content-Type", "User-Agent", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Idempotency-Key",
	"Bridge-Attempt", "Bridge-Live", "Bridge-Redelivery",
	"Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Te", "Upgrade", "Expect",
}

// check returns an error that names the first field that cannot be used.
func (e Endpoint) check() error {
	if e.Name == "" {
		return errors.New("webhooks: endpoint without a name")
	}
	if e.Timeout != 0 && (e.Timeout < minTimeout || e.Timeout > maxTimeout) {
		return fmt.Errorf("webhooks: endpoint %s: time-out %s is not within %s and %s", e.Name, e.Timeout, minTimeout, maxTimeout)
	}
	if e.Untrusted && e.Proxy != nil {
		return fmt.Errorf("webhooks: endpoint %s: an untrusted URL cannot go through a proxy: its address would not be checked", e.Name)
	}
	if e.Concurrency < 0 {
		return fmt.Errorf("webhooks: endpoint %s: concurrency %d is negative", e.Name, e.Concurrency)
	}
	for name, values := range e.Header {
		if slices.Contains(reservedHeaders[:], http.CanonicalHeaderKey(name)) {
			return fmt.Errorf("webhooks: endpoint %s: header %q is not for the operator to set", e.Name, name)
		}
		if !isToken(name) || slices.ContainsFunc(values, hasControl) {
			return fmt.Errorf("webhooks: endpoint %s: header %q has characters that HTTP does not allow", e.Name, name)
		}
	}
	return nil
}

// isToken says whether s is a header name (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}

// hasControl says whether a header's value has a byte that would break the request.
func hasControl(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0
}

// A target is an endpoint's URL, taken apart.
type target struct {
	url           *url.URL // without user and password
	authorization string   // the header's value, or empty
}

// newTarget reads an endpoint's URL. Its errors wrap egress.ErrURL and hold nothing of the URL.
func newTarget(guard egress.Guard, raw string) (target, error) {
	u, err := guard.URL(raw)
	if err != nil {
		return target{}, err
	}
	var t target
	if u.User != nil {
		password, _ := u.User.Password()
		pair := u.User.Username() + ":" + password
		t.authorization = "Basic " + base64.StdEncoding.EncodeToString([]byte(pair))
		u.User = nil
	}
	u.Fragment, u.RawFragment = "", ""
	t.url = u
	return t, nil
}
