package aldea

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"
)

var (
	// ErrUnauthorized means that the recognizer refused the API key, in every form there was to try. It
	// matches a *StatusError of 401 or 403 and a *CloseError whose reason speaks of the key.
	ErrUnauthorized = errors.New("aldea: unauthorized")

	// ErrClosed means that Stream.Close ended the stream.
	ErrClosed = errors.New("aldea: stream closed")

	// ErrUnfinished means that the audio ended while there was no connection, and none came in time, or that
	// the recognizer did not say in time what it made of the end: what
	// was said last has not been transcribed. An interim result that is pending stays unconfirmed.
	ErrUnfinished = errors.New("aldea: ended before the recognizer heard everything")
)

// A StatusError is an HTTP answer to the handshake other than 101.
type StatusError struct {
	// Status is the HTTP status code.
	Status int
	// Message is what the body said, shortened, without the key; it may be empty.
	Message string
	// RequestID is the recognizer's id of the request, if it told.
	RequestID string
	// RetryAfter is the wait that the answer asked for; 0 if none.
	RetryAfter time.Duration
}

// Error returns the text of the error.
func (e *StatusError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "aldea: handshake answered with %d %s", e.Status, http.StatusText(e.Status))
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", e.Message)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request %s)", e.RequestID)
	}
	return b.String()
}

// LogValue is the error without the message: a log must not repeat what the recognizer wrote.
func (e *StatusError) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("aldea: handshake answered with %d %s (%d bytes of message)",
		e.Status, http.StatusText(e.Status), len(e.Message)))
}

// Is makes 401 and 403 match ErrUnauthorized.
func (e *StatusError) Is(target error) bool {
	return target == ErrUnauthorized &&
		(e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden)
}

// Temporary reports whether trying again soon may help: 402 (some services answer it while they count), 408, 425, 429
// and all from 500 on.
func (e *StatusError) Temporary() bool {
	switch e.Status {
	case http.StatusPaymentRequired, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return e.Status >= 500
}

// aboutSettings reports whether the answer is one to what was asked for, such as a language, rather than to the key or the
// address.
func (e *StatusError) aboutSettings() bool {
	switch e.Status {
	case http.StatusBadRequest, http.StatusNotAcceptable, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnsupportedMediaType, http.StatusUnprocessableEntity, http.StatusRequestHeaderFieldsTooLarge:
		return true
	}
	return false
}

// A CloseError is the end of an established connection. A connection that was cut without a close frame
// has the code 1006 (RFC 6455 section 7.4.1).
type CloseError struct {
	// Code is the WebSocket close code.
	Code int
	// Reason is what the server gave as the reason, without the key.
	Reason string
}

// Error returns the text of the error.
func (e *CloseError) Error() string {
	if e.Reason == "" {
		return fmt.Sprintf("aldea: connection closed with code %d", e.Code)
	}
	return fmt.Sprintf("aldea: connection closed with code %d: %s", e.Code, e.Reason)
}

// LogValue is the error without the reason, of which it has the token: a log must not repeat what the recognizer wrote.
func (e *CloseError) LogValue() slog.Value {
	text := fmt.Sprintf("aldea: connection closed with code %d", e.Code)
	if token := e.Token(); token != "" {
		text += " " + token
	}
	if e.Reason != "" {
		text += fmt.Sprintf(" (%d bytes of reason)", len(e.Reason))
	}
	return slog.StringValue(text)
}

// Token is the recognizer's own label for the reason: net0000 (the server had nothing to say in time),
// net0001 (it heard nothing from us in time), data0000 (the audio could not be decoded), or empty.
func (e *CloseError) Token() string {
	reason := strings.ToLower(e.Reason)
	for _, token := range []string{"net0000", "net0001", "data0000"} {
		dashed := token[:len(token)-4] + "-" + token[len(token)-4:]
		if strings.Contains(reason, token) || strings.Contains(reason, dashed) {
			return token
		}
	}
	return ""
}

// Is makes a reason that speaks of the key match ErrUnauthorized: some servers accept the handshake and
// refuse the key afterwards.
func (e *CloseError) Is(target error) bool {
	return target == ErrUnauthorized && e.speaksOf("auth", "api key", "apikey", "api_key", "credential", "forbidden")
}

// refuses reports whether the code says that the server does not want what we send: RFC 6455 section 7.4.1.
func (e *CloseError) refuses() bool {
	switch e.Code {
	case 1002, 1003, 1007, 1008, 1009, 1010:
		return !e.limited()
	}
	return false
}

// limited reports whether the server closed because it was too much for the key.
func (e *CloseError) limited() bool {
	return e.speaksOf("quota", "rate limit", "too many", "concurren")
}

// speaksOf reports whether the reason contains one of the words. Codes that the network makes up have no
// reason of the server's.
func (e *CloseError) speaksOf(words ...string) bool {
	if e.Code == 1005 || e.Code == 1006 {
		return false
	}
	reason := strings.ToLower(e.Reason)
	for _, word := range words {
		if strings.Contains(reason, word) {
			return true
		}
	}
	return false
}
