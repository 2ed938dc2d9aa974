package control

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/twilio/twilio-go/client"
	api "github.com/twilio/twilio-go/rest/api/v2010"
)

// maxTwiml is how many characters of TwiML a request may carry (Twilio's error 32018).
const maxTwiml = 4000

// Twilio steers an account's calls. Make it with New. Its methods may be called concurrently; two at once for one call are
// done in no particular order. They return nil, or an *Error.
type Twilio struct {
	config Config
	base   *url.URL
	http   *http.Client
}

// New returns a Twilio that has not connected yet. Its error wraps ErrConfig. Close it.
func New(c Config) (*Twilio, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	base, err := url.Parse(cmp.Or(c.BaseURL, defaultBase))
	if err != nil {
		return nil, fmt.Errorf("%w: BaseURL", ErrConfig)
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport.(*http.Transport).Clone()
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

// Close closes connections that are not in use.
func (t *Twilio) Close() { t.http.CloseIdleConnections() }

// Hangup ends a call. It is no error that the call is over already.
func (t *Twilio) Hangup(ctx context.Context, callID string) error {
	completed := "completed"
	err := t.update(ctx, "hang up", callID, &api.UpdateCallParams{Status: &completed}, true)
	if isOver(err) {
		return nil
	}
	return err
}

// Redirect has Twilio fetch new instructions from a URL, with POST, and follow them.
func (t *Twilio) Redirect(ctx context.Context, callID, to string) error {
	const what = "redirect"
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return &Error{What: what, Reason: "the URL must be http:// or https:// and have a host"}
	}
	post := http.MethodPost
	return t.update(ctx, what, callID, &api.UpdateCallParams{Url: &to, Method: &post}, false)
}

// Twiml has Twilio follow instructions of at most 4000 characters. URLs in them must be absolute.
func (t *Twilio) Twiml(ctx context.Context, callID, twiml string) error {
	return t.instruct(ctx, "twiml", callID, twiml)
}

// Transfer dials a number ("+15550100001"), a SIP address ("sip:…") or a client ("client:…") and connects the call with it.
// callerID is who seems to call; empty leaves that to Twilio, which shows the caller. When they hang up, the call ends.
func (t *Twilio) Transfer(ctx context.Context, callID, to, callerID string) error {
	const what = "transfer"
	twiml, err := dial(to, callerID)
	if err != nil {
		return &Error{What: what, Reason: err.Error()}
	}
	return t.instruct(ctx, what, callID, twiml)
}

func (t *Twilio) instruct(ctx context.Context, what, callID, twiml string) error {
	if n := utf8.RuneCountInString(twiml); n > maxTwiml {
		return &Error{What: what, Reason: fmt.Sprintf("the TwiML has %d characters; Twilio takes at most %d", n, maxTwiml)}
	}
	return t.update(ctx, what, callID, &api.UpdateCallParams{Twiml: &twiml}, false)
}

// update changes a call's resource, and tries again where that does no harm. Twice says that it never does.
func (t *Twilio) update(ctx context.Context, what, callID string, params *api.UpdateCallParams, twice bool) error {
	if !sid.MatchString(callID) {
		return &Error{What: what, Reason: "the call's id is not one of Twilio's: only letters, digits, _ and - are in them"}
	}
	for n := 1; ; n++ {
		err := t.once(ctx, what, callID, params)
		if err == nil {
			return nil
		}
		wait, again := err.retry(n, twice)
		if !again {
			return err
		}
		t.config.Logger.Warn("the carrier did not do what it was asked; trying again",
			"what", what, "attempt", n, "status", err.Status, "code", err.Code, "wait", wait)
		if !sleep(ctx, wait) {
			return err
		}
	}
}

// once makes one attempt.
func (t *Twilio) once(ctx context.Context, what, callID string, params *api.UpdateCallParams) *Error {
	inner, cancel := context.WithTimeout(ctx, t.config.Timeout)
	defer cancel()
	x := &exchange{twilio: t, ctx: inner}
	// Not NewRequestHandler: that reads the environment.
	service := api.NewApiService(&client.RequestHandler{Client: x})
	if _, err := service.UpdateCall(callID, params); err != nil {
		return x.failure(what, err)
	}
	return nil
}

// sleep waits, and says whether the context lets it.
func sleep(ctx context.Context, d time.Duration) bool {
	if at, ok := ctx.Deadline(); ok && time.Until(at) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
