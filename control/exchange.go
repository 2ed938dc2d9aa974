package control

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"github.com/twilio/twilio-go/client"
)

const (
	maxAnswer  = 256 << 10 // bytes; a call's resource has about 2 KiB
	maxMessage = 300       // characters of Twilio's that an error repeats
)

// An exchange is one request and its answer: a client.BaseClient of twilio-go for a single call of a single method. The one
// that comes with it knows no contexts, has its host built in and loses the Retry-After of an answer.
type exchange struct {
	twilio *Twilio
	ctx    context.Context // here because BaseClient has no room for it

	sent       atomic.Bool // something of the request may have reached Twilio
	status     int         // of the answer, 0 if none came
	retryAfter string
}

// AccountSid is a part of the path.
func (x *exchange) AccountSid() string { return x.twilio.config.AccountSID }

// SetTimeout does nothing: the context bounds the exchange.
func (x *exchange) SetTimeout(time.Duration) {}

// SetOauth does nothing: we authenticate by name and secret.
func (x *exchange) SetOauth(client.OAuth) {}

// OAuth is nil.
func (x *exchange) OAuth() client.OAuth { return nil }

// SendRequest sends a form to the path of rawURL.
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
		if json.Unmarshal(body, refusal) != nil {
			refusal = &client.TwilioRestError{} // a proxy's page, say
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
	u.Scheme, u.Host = x.twilio.base.Scheme, x.twilio.base.Host
	ctx := httptrace.WithClientTrace(x.ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { x.sent.Store(true) },
	})
	req, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(form.Encode()))
	if err != nil {
		return nil, err
	}
	req.GetBody = nil // no second try behind our back
	req.SetBasicAuth(x.twilio.config.user(), x.twilio.config.password())
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "aldeabridge twilio-go/"+client.LibraryVersion)
	return req, nil
}

// failure says what went wrong.
func (x *exchange) failure(what string, err error) *Error {
	e := &Error{What: what, Status: x.status, unsent: !x.sent.Load(), retryAfter: x.retryAfter}
	var refusal *client.TwilioRestError
	switch {
	case errors.As(err, &refusal):
		e.Code, e.Message = refusal.Code, x.clean(refusal.Message)
	case x.status != 0: // what it did, nobody knows
		e.Reason, e.cause = "its answer cannot be read", err
	default:
		e.Reason, e.cause = x.silence(err), err
	}
	return e
}

// silence says why there is no answer, without the URL that package http puts before it.
func (x *exchange) silence(err error) string {
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer within %v", x.twilio.config.Timeout)
	case errors.Is(err, context.Canceled):
		return "given up before it answered"
	}
	return "no answer: " + x.clean(err.Error())
}

// clean makes what the other side wrote fit for an event: one line, not long, and nothing of the credentials, whatever
// a server repeats.
func (x *exchange) clean(s string) string {
	c := x.twilio.config
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString([]byte(c.user() + ":" + c.password())),
		c.AuthToken, c.KeySecret, c.KeySID, c.AccountSID,
	} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "…")
		}
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if runes := []rune(s); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return s
}
