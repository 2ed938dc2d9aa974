package voice

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"aldeabridge/internal/egress"
)

// ServiceConfig is the configuration that all HTTP engines share.
type ServiceConfig struct {
	// BaseURL is the service's URL. Each service has its own default. It is trusted: any network, http or https.
	BaseURL string
	Key     Key
	Voices  Voices
	Model   string // each has its own default
	// Timeouts are those of one request: a text that is too long for the service is said in several.
	Timeouts Timeouts
}

// service is an HTTP engine.
type service struct {
	name     string
	base     *url.URL
	key      Key
	voices   Voices
	model    string
	timeouts Timeouts
	client   *http.Client
	most     int64 // bytes of an answer; tests lower it
}

// idle is the number of idle connections: a new connection delays the first audio by one to three round trips.
const idle = 32

func (c ServiceConfig) service(name, base, model string) (*service, error) {
	if c.BaseURL != "" {
		base = c.BaseURL
	}
	if c.Model != "" {
		model = c.Model
	}
	guard := egress.Guard{Operator: true}
	u, err := guard.URL(base)
	if err != nil {
		return nil, failed(name, fmt.Errorf("base URL: %w", err))
	}
	if strings.ContainsAny(string(c.Key), " \t\r\n") {
		return nil, &Error{Engine: name, Reason: "the API key has white space in it"}
	}
	t := guard.Transport()
	t.MaxIdleConnsPerHost = idle
	return &service{
		name: name, base: u, key: c.Key, voices: c.Voices, model: model, timeouts: c.Timeouts, most: maxAnswer,
		client: &http.Client{
			Transport: t,
			// A redirect would forward the key.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}, nil
}

// Close closes idle connections.
func (s *service) Close() error {
	s.client.CloseIdleConnections()
	return nil
}

// identity returns the common part of the services' identities.
func (s *service) identity(settings ...any) string {
	return fmt.Sprintln(s.name, s.base.Redacted(), s.model, s.voices.Default, s.voices.ByLanguage, settings)
}

// order is one request to a service.
type order struct {
	path   []string // behind the base URL
	query  url.Values
	header http.Header
	body   any    // JSON
	text   string // for errors to leave out
}

const (
	maxRetryAfter = 2 * time.Second
	maxErrorBody  = 8 << 10
)

// ask sends an order and returns a successful response. It retries once if the service is busy and sends a short Retry-After.
// The caller uses the watch for the body.
func (s *service) ask(ctx context.Context, o order) (*http.Response, *watch, error) {
	body, err := json.Marshal(o.body)
	if err != nil {
		return nil, nil, failed(s.name, err)
	}
	w := s.timeouts.watch(ctx)
	resp, err := s.send(w, o, body)
	if err == nil && resp.StatusCode != http.StatusOK {
		wait, again := retryAfter(resp)
		err = s.refused(resp, o.text)
		if again && sleep(w.ctx, wait) {
			if resp, err = s.send(w, o, body); err == nil && resp.StatusCode != http.StatusOK {
				err = s.refused(resp, o.text)
			}
		}
	}
	if err != nil {
		w.stop()
		return nil, nil, err
	}
	return resp, w, nil
}

func (s *service) send(w *watch, o order, body []byte) (*http.Response, error) {
	u := s.base.JoinPath(o.path...)
	q := u.Query()
	for k, v := range o.query {
		q[k] = v
	}
	u.RawQuery = q.Encode()
	req, err := http.NewRequestWithContext(w.ctx, http.MethodPost, u.String(), bytes.NewReader(body))
	if err != nil {
		return nil, failed(s.name, errors.New("the URL is not possible"))
	}
	for k, v := range o.header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "bridge")
	req.Header.Set("Accept-Encoding", identity)
	resp, err := s.client.Do(req)
	if err != nil {
		return nil, failed(s.name, w.reason(egress.Plain(err)))
	}
	resp.Body = plainBody{egress.PlainReader(resp.Body), resp.Body}
	return resp, nil
}

// retryAfter reports whether to retry, and after which wait.
func retryAfter(resp *http.Response) (time.Duration, bool) {
	if resp.StatusCode != http.StatusTooManyRequests && resp.StatusCode != http.StatusServiceUnavailable {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(resp.Header.Get("Retry-After"), 64)
	wait := time.Duration(seconds * float64(time.Second))
	return wait, err == nil && wait >= 0 && wait <= maxRetryAfter
}

// sleep returns false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// refused returns the Error of a failed response and closes its body.
func (s *service) refused(resp *http.Response, text string) error {
	defer resp.Body.Close()
	e := &Error{Engine: s.name, Status: resp.StatusCode}
	if resp.StatusCode == http.StatusUnauthorized {
		e.Reason = "it refused the API key" // the service's message may repeat the key
		if s.key == "" {
			e.Reason = "it wants an API key, and none is configured"
		}
		return e
	}
	if body, err := unpacked(resp); err == nil {
		b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody))
		e.Reason = s.tidy(message(b), text)
	}
	return e
}

// tidy shortens a service's message to one line without the key and the text to speak.
func (s *service) tidy(message, text string) string {
	message = strings.Join(strings.Fields(strings.ToValidUTF8(message, "?")), " ")
	if text = strings.Join(strings.Fields(text), " "); text != "" {
		message = strings.ReplaceAll(message, text, "…")
	}
	message = s.key.scrub(message)
	const most = 200
	if r := []rune(message); len(r) > most {
		message = string(r[:most]) + "…"
	}
	return message
}

// message returns the message in a service's error, in any of the services' formats.
func message(b []byte) string {
	var any map[string]json.RawMessage
	if json.Unmarshal(b, &any) != nil {
		if s := string(b); !strings.HasPrefix(strings.TrimSpace(s), "<") {
			return s
		}
		return "" // an HTML page
	}
	for _, field := range []string{"message", "err_msg", "error", "detail", "title"} {
		raw, ok := any[field]
		if !ok {
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return text
		}
		if inner := message(raw); inner != "" {
			return inner
		}
	}
	return ""
}
