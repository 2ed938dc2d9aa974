package webhooks

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"aldeabridge/events"
)

// An Endpoint is where events go. It is the operator's: it may be plain http and on any network but that of
// cloud metadata. Printed or logged it shows its name and host only.
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
}

// String is the endpoint's name.
func (e Endpoint) String() string { return e.Name }

// GoString is the endpoint's name.
func (e Endpoint) GoString() string { return e.Name }

// LogValue is the endpoint's name.
func (e Endpoint) LogValue() slog.Value { return slog.StringValue(e.Name) }

// ErrURL means that an endpoint's URL cannot be used. The error's text does not repeat it: it may hold a password.
var ErrURL = errors.New("webhooks: bad endpoint URL")

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

// parseTarget reads an operator's URL. Its errors wrap ErrURL and hold nothing of the URL, not even what
// package url says about it: that may quote a part of a password.
func parseTarget(raw string) (target, error) {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return target{}, fmt.Errorf("%w: it cannot be read (odd characters in a user or password must be written %%XX)", ErrURL)
	case u.Scheme != "http" && u.Scheme != "https":
		return target{}, fmt.Errorf("%w: it must begin with http:// or https://", ErrURL)
	case u.Hostname() == "":
		return target{}, fmt.Errorf("%w: it has no host", ErrURL)
	case !validPort(u.Port()):
		return target{}, fmt.Errorf("%w: its port is not within 1 and 65535", ErrURL)
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

// validPort says whether port can be connected to. Empty is the scheme's own.
func validPort(port string) bool {
	if port == "" {
		return true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	return err == nil && n > 0
}
