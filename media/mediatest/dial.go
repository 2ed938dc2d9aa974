package mediatest

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// A HandshakeError is an upgrade the server refused.
type HandshakeError struct {
	Status int    // HTTP status
	Detail string // of an application/problem+json answer, or the beginning of another body
	Header http.Header
}

// Error returns the text of the error.
func (e *HandshakeError) Error() string {
	return fmt.Sprintf("mediatest: upgrade refused: %d %s: %s", e.Status, http.StatusText(e.Status), e.Detail)
}

// dial opens the WebSocket as Twilio does: no Origin, no subprotocol, no extensions.
func (c *Call) dial(ctx context.Context) (*websocket.Conn, error) {
	header := http.Header{"User-Agent": {"Twilio.TmeWs/1.0"}}
	if c.AuthToken != "" {
		signed, err := c.signedURL()
		if err != nil {
			return nil, fmt.Errorf("mediatest: %w", err)
		}
		header.Set("X-Twilio-Signature", Sign(c.AuthToken, signed, nil))
	}
	for name, values := range c.Header {
		header[http.CanonicalHeaderKey(name)] = values
	}
	d := websocket.Dialer{
		NetDialContext:   c.Dial,
		HandshakeTimeout: 10 * time.Second,
		ReadBufferSize:   1024,
		WriteBufferSize:  1024,
	}
	conn, resp, err := d.DialContext(ctx, c.URL, header)
	if err == nil {
		return conn, nil
	}
	if resp != nil && errors.Is(err, websocket.ErrBadHandshake) {
		return nil, handshakeError(resp)
	}
	return nil, fmt.Errorf("mediatest: dial: %w", err)
}

func handshakeError(resp *http.Response) *HandshakeError {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, 4096))
	e := &HandshakeError{Status: resp.StatusCode, Detail: string(body), Header: resp.Header}
	var problem struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &problem) == nil && problem.Detail != "" {
		e.Detail = problem.Detail
	}
	return e
}

// signedURL is the URL the carrier signs for this call: always wss over TLS, and without a port there.
func (c *Call) signedURL() (string, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return "", err
	}
	base := &url.URL{Scheme: u.Scheme, Host: u.Host}
	if c.PublicURL != "" {
		if base, err = url.Parse(strings.TrimRight(c.PublicURL, "/")); err != nil {
			return "", err
		}
	}
	scheme, host := "ws", base.Host
	if base.Scheme == "https" || base.Scheme == "wss" {
		scheme, host = "wss", base.Hostname()
	}
	return scheme + "://" + host + base.EscapedPath() + u.RequestURI(), nil
}

// Sign computes X-Twilio-Signature for a request to rawURL with the fields of a form (nil for none), each with one
// value.
func Sign(authToken, rawURL string, form url.Values) string {
	var names []string
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	data := rawURL
	for _, name := range names {
		data += name + form.Get(name)
	}
	mac := hmac.New(sha1.New, []byte(authToken))
	_, _ = io.WriteString(mac, data)
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
