// Package client asks a bridge's HTTP API: it is what the command line is made of.
//
//	c := client.Client{URL: "http://127.0.0.1:8080", Token: "…"}
//	call, err := client.Get[api.Call](ctx, &c, "/v1/calls/CA1", nil)
//	for call, err := range client.List[api.Call](ctx, &c, "/v1/calls", nil) { … }
//	for message, err := range c.Follow(ctx, "/v1/events", nil, nil) { … }
//
// What the answers hold is the caller's choice of type: that of package console, or json.RawMessage for the
// bytes as they came, with what a newer bridge put into them.
//
// List asks for page after page. Follow reads a stream of events, and survives the loss of its connection without
// losing or repeating a stored event. Nothing else is tried twice.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// ErrUnreachable means that no server answers at the URL: its host has no address, or the port is closed.
var ErrUnreachable = errors.New("client: nobody answers")

// ErrNotBridge means that the server that answered has no bridge API.
var ErrNotBridge = errors.New("client: this is not a bridge's answer")

var errLate = errors.New("client: no answer within a minute")

const (
	// patience is how long an answer may take that is not a stream or a file.
	patience = time.Minute
	// largestAnswer bounds one that is not a stream or a file, in bytes. A page of a thousand long utterances is far below.
	largestAnswer = 256 << 20
	// pageLimit is how many items the API gives at once at most.
	pageLimit = 1000
)

// A Client asks one bridge. Its methods may be called concurrently.
type Client struct {
	// URL is where the bridge is: http://127.0.0.1:8080. A path in it comes before that of the API.
	URL string
	// Token is the bearer token. Empty sends none.
	Token string
	// HTTP makes the requests. Nil means http.DefaultClient. It must have no time-out: streams last.
	HTTP *http.Client
}

// An Error says which bridge an error is about. All that comes from a Client is one.
type Error struct {
	URL string
	Err error
}

// Error returns the text of the error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the cause, for errors.Is and errors.As.
func (e *Error) Unwrap() error { return e.Err }

// A Problem is an answer that says no: application/problem+json as RFC 9457 describes it.
type Problem struct {
	Status int
	Title  string
	Detail string // what was wrong, and what would be right
}

// Error is the detail, or what the status says.
func (p *Problem) Error() string {
	if p.Detail != "" {
		return p.Detail
	}
	return fmt.Sprintf("%d %s", p.Status, p.Title)
}

// Get asks for one thing.
func Get[T any](ctx context.Context, c *Client, path string, query url.Values) (T, error) {
	return ask[T](ctx, c, http.MethodGet, path, query, nil)
}

// Post sends body as JSON, if it is not nil, and returns the answer.
func Post[T any](ctx context.Context, c *Client, path string, query url.Values, body any) (T, error) {
	return ask[T](ctx, c, http.MethodPost, path, query, body)
}

// List asks for every item of a list, in pages of the query's limit or else of the greatest there are. It ends after
// the first error.
func List[T any](ctx context.Context, c *Client, path string, query url.Values) iter.Seq2[T, error] {
	type page struct {
		Data []T    `json:"data"`
		Next string `json:"next_cursor"`
	}
	return func(yield func(T, error) bool) {
		q := url.Values{"limit": {strconv.Itoa(pageLimit)}}
		for name, values := range query {
			q[name] = values
		}
		for {
			p, err := Get[page](ctx, c, path, q)
			if err == nil && p.Next != "" && p.Next == q.Get("cursor") {
				err = c.fail(fmt.Errorf("%w: its list never ends", ErrNotBridge))
			}
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, item := range p.Data {
				if !yield(item, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			q.Set("cursor", p.Next)
		}
	}
}

// Delete deletes what is at path.
func (c *Client) Delete(ctx context.Context, path string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	resp, err := c.do(ctx, http.MethodDelete, path, nil, nil, nil)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Download copies what is at path to w. An error means that w may have got a part.
func (c *Client) Download(ctx context.Context, path string, query url.Values, w io.Writer) error {
	resp, err := c.do(ctx, http.MethodGet, path, query, nil, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(w, resp.Body); err != nil {
		return c.fail(fmt.Errorf("client: download: %w", err))
	}
	return nil
}

// fail says that err is about this bridge.
func (c *Client) fail(err error) error { return &Error{URL: c.URL, Err: err} }

func ask[T any](ctx context.Context, c *Client, method, path string, query url.Values, body any) (answer T, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errLate)
	defer cancel()
	var b []byte
	if body != nil {
		if b, err = json.Marshal(body); err != nil {
			return answer, err
		}
	}
	resp, err := c.do(ctx, method, path, query, b, nil)
	if err != nil {
		return answer, err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(io.LimitReader(resp.Body, largestAnswer))
	if err != nil {
		return answer, c.fail(failure(ctx, err))
	}
	if err := json.Unmarshal(all, &answer); err != nil {
		return answer, c.fail(fmt.Errorf("%w: %w", ErrNotBridge, err))
	}
	return answer, nil
}

// do makes a request and returns the answer, if it is a good one. The caller closes its body.
func (c *Client) do(ctx context.Context, method, path string, query url.Values, body []byte, header http.Header) (*http.Response, error) {
	address := strings.TrimSuffix(c.URL, "/") + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, c.fail(fmt.Errorf("client: %w", err))
	}
	for name, values := range header {
		req.Header[name] = values
	}
	if c.Token != "" {
		req.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	h := c.HTTP
	if h == nil {
		h = http.DefaultClient
	}
	resp, err := h.Do(req)
	if err != nil {
		return nil, c.fail(failure(ctx, err))
	}
	if resp.StatusCode >= 200 && resp.StatusCode < 300 {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, c.fail(problem(resp))
}

// failure says what went wrong before there was an answer. The address is left out: it holds numbers, and who asked
// knows it.
func failure(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if e := (*url.Error)(nil); errors.As(err, &e) {
		err = e.Err
	}
	if e := (*net.OpError)(nil); errors.As(err, &e) && e.Op == "dial" {
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	return fmt.Errorf("client: %w", err)
}

// problem reads an answer that says no.
func problem(resp *http.Response) error {
	p := &Problem{Status: resp.StatusCode, Title: http.StatusText(resp.StatusCode)}
	if !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/problem+json") {
		return fmt.Errorf("%w: %w", ErrNotBridge, p)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNotBridge, err)
	}
	return p
}
