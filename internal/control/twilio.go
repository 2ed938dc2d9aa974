package control

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// maxTwiml is the most characters of TwiML in a request (Twilio's error 32018).
const maxTwiml = 4000

// Twilio updates the live calls of an account. Make it with New. Its methods may be called concurrently. They return nil, or an *Error.
type Twilio struct {
	config Config
	base   *url.URL
	http   *http.Client
	locks  callLocks
}

// New returns a Twilio without connecting. Its error wraps ErrConfig. The caller must close the Twilio.
func New(c Config) (*Twilio, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	base, err := c.base()
	if err != nil {
		return nil, err
	}
	if c.Transport == nil {
		c.Transport = &http.Transport{
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2: true,
			IdleConnTimeout:   90 * time.Second,
		}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.Timeout = cmp.Or(c.Timeout, defaultTimeout)
	return &Twilio{config: c, base: base, http: &http.Client{
		Transport:     c.Transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// Close closes idle connections.
func (t *Twilio) Close() { t.http.CloseIdleConnections() }

// Format writes the account without secrets.
func (t *Twilio) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "Twilio(%s)", t.config.AccountSID) }

// Hangup ends a call. It returns nil if the call is over already.
func (t *Twilio) Hangup(ctx context.Context, callID string) error {
	completed := "completed"
	err := t.update(ctx, update{what: "hang up", callID: callID, idempotent: true, params: api.UpdateCallParams{Status: &completed}})
	if err == nil || err.Is(ErrNoCall) {
		return nil
	}
	return err
}

// Redirect makes Twilio fetch TwiML from a URL, with POST, and execute it.
func (t *Twilio) Redirect(ctx context.Context, callID, to string) error {
	const what = "redirect"
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" {
		return &Error{What: what, Reason: "the URL must be http:// or https:// and have a host"}
	}
	post := http.MethodPost
	return t.instruct(ctx, update{what: what, callID: callID, params: api.UpdateCallParams{Url: &to, Method: &post}})
}

// Twiml makes Twilio execute TwiML of at most 4000 characters. URLs in them must be absolute.
func (t *Twilio) Twiml(ctx context.Context, callID, twiml string) error {
	return t.instruct(ctx, update{what: "twiml", callID: callID, params: api.UpdateCallParams{Twiml: &twiml}})
}

// Transfer dials a number ("+15550100001"), a SIP address ("sip:…") or a client ("client:…") and connects the call with it.
// callerID is the caller id of the new leg; if it is empty, Twilio uses the caller's. When the other party hangs up, the call
// ends.
func (t *Twilio) Transfer(ctx context.Context, callID, to, callerID string) error {
	const what = "transfer"
	twiml, err := dial(to, callerID)
	if err != nil {
		return &Error{What: what, Reason: err.Error()}
	}
	return t.instruct(ctx, update{what: what, callID: callID, params: api.UpdateCallParams{Twiml: &twiml}})
}

// instruct sends an update with new TwiML. On success it returns a nil error, not an error with a nil *Error.
func (t *Twilio) instruct(ctx context.Context, u update) error {
	if twiml := u.params.Twiml; twiml != nil {
		if n := utf8.RuneCountInString(*twiml); n > maxTwiml {
			return &Error{What: u.what, Reason: fmt.Sprintf("the TwiML has %d characters; Twilio takes at most %d", n, maxTwiml)}
		}
	}
	if err := t.update(ctx, u); err != nil {
		return err
	}
	return nil
}
