package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twilio/twilio-go/client"
)

const maxAnswer = 256 << 10 // bytes; a call's resource has about 2 KiB

// exchange is one HTTP request and its response: a client.BaseClient of twilio-go for one method call. twilio-go's own client
// does not support contexts, has a fixed host and drops the Retry-After header.
type exchange struct {
	twilio  *Twilio
	ctx     context.Context // a field because BaseClient's methods have no context
	timeout time.Duration   // of ctx

	sent       atomic.Bool // the request may have reached Twilio
	status     int         // of the response, 0 if there was none
	retryAfter string
}

// AccountSid returns the account in the request's path.
func (x *exchange) AccountSid() string { return x.twilio.config.AccountSID }

// SetTimeout does nothing: the context has the deadline.
func (x *exchange) SetTimeout(time.Duration) {}

// SetOauth does nothing: requests use Basic authentication.
func (x *exchange) SetOauth(client.OAuth) {}

// OAuth returns nil.
func (x *exchange) OAuth() client.OAuth { return nil }

// SendRequest sends a form to the path of rawURL, and reads the whole response, up to maxAnswer bytes.
func (x *exchange) SendRequest(method, rawURL string, form url.Values, _ map[string]any, _ ...byte) (*http.Response, error) {
	req, err := x.request(method, rawURL, form)
	if err != nil {
		return nil, err
	}
	resp, err := x.twilio.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	x.status, x.retryAfter = resp.StatusCode, resp.Header.Get("Retry-After")
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		refusal := &client.TwilioRestError{}
		if err := json.Unmarshal(body, refusal); err != nil && !errors.As(err, new(*json.UnmarshalTypeError)) {
			refusal = &client.TwilioRestError{} // for example a proxy's error page
		}
		return nil, refusal
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

func (x *exchange) request(method, rawURL string, form url.Values) (*http.Request, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, err
	}
	base := x.twilio.base
	u.Scheme, u.Host, u.Path = base.Scheme, base.Host, base.Path+u.Path
	ctx := httptrace.WithClientTrace(x.ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { x.sent.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(x.twilio.config.credentials())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "aldeabridge twilio-go/"+client.LibraryVersion)
	return req, nil
}

// failure returns the Error for a failed exchange.
func (x *exchange) failure(what string, err error) *Error {
	e := &Error{What: what, Status: x.status, retryAfter: x.retryAfter}
	var refusal *client.TwilioRestError
	switch {
	case errors.As(err, &refusal):
		e.Code, e.Reason = refusal.Code, x.twilio.config.clean(refusal.Message)
		if e.Reason == "" {
			e.Reason = http.StatusText(x.status)
		}
	case x.status != 0:
		e.Reason, e.cause = "its answer cannot be read", err
	default:
		e.Reason, e.cause = x.noAnswerReason(err), err
	}
	// After a server error or a lost response, the outcome is unknown.
	e.Unknown = x.status == 0 && x.sent.Load() || x.status >= 500 || x.status >= 200 && x.status <= 299
	return e
}
