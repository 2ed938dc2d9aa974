package webhooks

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/egress"
)

// A sender makes the requests to one endpoint. It has no mutable state and may be used concurrently.
type sender struct {
	endpoint  Endpoint
	target    target
	signer    signer
	transport http.RoundTripper
	agent     string // user-agent
	actions   bool   // whether actions in answers are executed
}

// An outcome is the result of one request.
type outcome struct {
	verdict verdict
	pause   time.Duration // with slowDown: the pause asked for
	status  int
	class   Class
	err     error  // nil with delivered
	body    []byte // at most maxAnswer
	bodyErr error  // why the body is incomplete or unreadable
	start   time.Time
	end     time.Time
	remote  string
}

// send makes one attempt. It returns when the answer is read or the endpoint's timeout has passed.
func (s *sender) send(ctx context.Context, r events.Record, number int, live bool, again *redelivery) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.endpoint.timeout(live))
	defer cancel()
	o := outcome{start: time.Now()}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(c httptrace.GotConnInfo) {
		o.remote = c.Conn.RemoteAddr().String()
	}})
	s.exchange(ctx, r, number, live, again, &o)
	o.end = time.Now()
	return o
}

// exchange sends the request and reads the answer into o.
func (s *sender) exchange(ctx context.Context, r events.Record, number int, live bool, again *redelivery, o *outcome) {
	req, err := s.request(ctx, r, number, live, o.start)
	if err != nil {
		o.err, o.class = err, ClassOther
		return
	}
	if again != nil {
		req.Header.Set("Bridge-Redelivery", again.id)
	}
	// Not http.Client: it follows redirects, and its errors quote the URL.
	resp, err := s.transport.RoundTrip(req)
	if err != nil {
		o.err, o.class = egress.Plain(err), classify(err)
		if o.class == ClassAddressRefused {
			o.verdict = refused
		}
		return
	}
	defer resp.Body.Close()
	o.status = resp.StatusCode
	o.body, o.bodyErr = readAnswer(egress.PlainReader(resp.Body), resp.Header)
	o.verdict, o.pause = judge(resp.StatusCode, resp.Header, time.Now())
	switch {
	case o.verdict == delivered:
	case resp.StatusCode >= 300 && resp.StatusCode <= 399:
		o.class, o.err = ClassRedirect, newRedirectError(resp)
	default:
		o.err = fmt.Errorf("the endpoint answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
}

// request builds the signed POST of one attempt.
func (s *sender) request(ctx context.Context, r events.Record, number int, live bool, at time.Time) (*http.Request, error) {
	signature, err := s.signer.sign(r.ID, at, r.Body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.target.url.String(), bytes.NewReader(r.Body))
	if err != nil {
		return nil, egress.ErrURL
	}
	h := req.Header
	if s.target.authorization != "" {
		h.Set("Authorization", s.target.authorization)
	}
	for name, values := range s.endpoint.Header {
		h[http.CanonicalHeaderKey(name)] = values
	}
	if h.Get("Accept-Encoding") == "" {
		h.Set("Accept-Encoding", "identity") // without this header every coding is acceptable
	}
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", s.agent)
	h.Set("Webhook-Id", r.ID)
	h.Set("Webhook-Timestamp", strconv.FormatInt(at.Unix(), 10))
	h.Set("Webhook-Signature", signature)
	// With this header net/http repeats the POST if a kept-alive connection turns out to be closed.
	h.Set("Idempotency-Key", r.ID)
	h.Set("Bridge-Attempt", strconv.Itoa(number))
	if live && s.actions {
		h.Set("Bridge-Live", "1")
	} else {
		h.Set("Bridge-Live", "0")
	}
	return req, nil
}

// maxTarget bounds the part of a Location that is quoted in an error.
const maxTarget = 200

// A redirectError describes a redirect. It leaves out user, password and query of the target.
type redirectError struct {
	status int
	where  string
}

func (e *redirectError) Error() string { return e.text(" to " + e.where) }

// LogValue leaves the target out: it is text from the endpoint.
func (e *redirectError) LogValue() slog.Value { return slog.StringValue(e.text("")) }

func (e *redirectError) text(to string) string {
	return fmt.Sprintf("the endpoint answered %d with a redirect%s: redirects are not followed, configure the endpoint's final URL", e.status, to)
}

// newRedirectError describes a 3xx answer.
func newRedirectError(resp *http.Response) error {
	where := "nowhere"
	if location, err := resp.Location(); err == nil {
		where = (&url.URL{Scheme: location.Scheme, Host: location.Host, Path: location.Path}).String()
		where = where[:min(len(where), maxTarget)]
	}
	return &redirectError{resp.StatusCode, where}
}
