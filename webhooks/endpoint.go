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

// An Endpoint is a URL that receives events. Unless Untrusted is set it is the operator's: it may be plain http and
// on any network except cloud metadata addresses. Printed or logged it shows its name only.
type Endpoint struct {
	// Name identifies the endpoint in logs, metrics and the journal. Names are unique and not empty.
	Name string
	// URL is http or https. A user and a password in it are sent as Basic authentication.
	URL string
	// Secrets are the signing secrets, newest first: one to four. Each adds a signature.
	Secrets []Secret
	// Types are the event types to deliver. Empty means all.
	Types []events.Type
	// Header is added to each request. It must not contain a header that this package sets.
	Header http.Header
	// Timeout bounds one attempt, from dialing to the last byte of the answer: 1 s to 30 s. Zero means 10 s while the
	// call is up and 15 s after.
	Timeout time.Duration
	// Concurrency bounds the attempts under way at once. Zero means 64.
	Concurrency int

	// RootCAs verify the endpoint's certificate. Nil means those of the system.
	RootCAs *x509.CertPool
	// Certificates are the client certificates for mutual TLS; the first one that the endpoint accepts is used.
	Certificates []tls.Certificate
	// Proxy chooses a proxy, as in http.Transport: an http, https or socks5 URL, whose user and password authenticate
	// with the proxy. Nil means none; http.ProxyFromEnvironment uses the environment. RootCAs also verify an https
	// proxy. With a proxy, only the address of the proxy is checked here: the proxy has to check the address of the
	// endpoint.
	Proxy func(*http.Request) (*url.URL, error)
	// Untrusted means that the URL is not the operator's and could aim at addresses that only this machine can reach
	// (SSRF). It must be https, without user and password, on port 443 or 8443, and its address must be public or
	// allowed by Config.Untrusted. Otherwise its events become dead letters at once (ReasonAddressRefused). It must
	// not have a Proxy.
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

// reservedHeaders are the headers that this package sets, in canonical form, and those of the connection.
var reservedHeaders = [...]string{
	"Content-Type", "User-Agent", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature", "Idempotency-Key",
	"Bridge-Attempt", "Bridge-Live", "Bridge-Redelivery",
	"Host", "Content-Length", "Transfer-Encoding", "Connection", "Trailer", "Te", "Upgrade", "Expect",
}

// check returns an error that names the first invalid field.
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
			return fmt.Errorf("webhooks: endpoint %s: header %q is reserved and cannot be set", e.Name, name)
		}
		if !isToken(name) || slices.ContainsFunc(values, hasControl) {
			return fmt.Errorf("webhooks: endpoint %s: header %q has characters that HTTP does not allow", e.Name, name)
		}
	}
	return nil
}

// isToken reports whether s is a header name (RFC 9110 section 5.6.2).
func isToken(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
	}) < 0
}

// hasControl reports whether a header's value has a control character that HTTP does not allow.
func hasControl(value string) bool {
	return strings.IndexFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) >= 0
}

// A target is a parsed endpoint URL.
type target struct {
	url           *url.URL // without user and password
	authorization string   // the header's value, or empty
}

// newTarget parses an endpoint's URL. Its errors wrap egress.ErrURL and do not contain the URL.
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
