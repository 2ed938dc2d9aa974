package control

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Kinds of an Error, for errors.Is.
var (
	// ErrNoCall means that the call does not exist or is over.
	ErrNoCall = errors.New("control: no such call is live")
	// ErrCredentials means that Twilio does not accept the SID and the secret. It is permanent.
	ErrCredentials = errors.New("control: credentials refused")
)

// Twilio's error codes that this package distinguishes, https://www.twilio.com/docs/api/errors.
const (
	codeNotFound      = 20404 // no such resource
	codeNotInProgress = 21220 // the call's state does not allow the update
)

// An Error is a failed update. Its text may be shown to API clients: it has no credentials and no internal addresses.
type Error struct {
	What     string // "hang up", "redirect", "twiml" or "transfer"
	Status   int    // HTTP status of Twilio's response; 0 if there was none
	Code     int    // Twilio's error code; 0 if there was none
	Reason   string // one line: Twilio's message, shortened, or this package's
	Attempts int    // number of requests
	// Unknown means that the update may have been executed nevertheless.
	Unknown bool

	cause      error  // why there was no response or it could not be parsed; nil otherwise
	retryAfter string // the response's header
}

// Error returns a text such as `transfer: Twilio answered 400, code 21220: Call is not in-progress. Cannot redirect; the call is over`.
func (e *Error) Error() string {
	parts := []string{e.Reason}
	if e.Status != 0 {
		parts[0] = fmt.Sprintf("Twilio answered %d", e.Status)
		if e.Code != 0 {
			parts[0] += fmt.Sprintf(", code %d", e.Code)
		}
		if e.Reason != "" {
			parts[0] += ": " + e.Reason
		}
		if advice := e.advice(); advice != "" {
			parts = append(parts, advice)
		}
	}
	if e.Attempts > 1 {
		parts = append(parts, fmt.Sprintf("tried %d times", e.Attempts))
	}
	if e.Unknown {
		parts = append(parts, "whether it was done is not known")
	}
	return e.What + ": " + strings.Join(parts, "; ")
}

// advice returns what Twilio's response means and how to fix it, or nothing.
func (e *Error) advice() string {
	switch {
	case e.cause != nil: // the response could not be parsed
	case e.Is(ErrCredentials):
		return "the account SID and its auth token, or the API key and its secret, must belong together and be live"
	case e.Code == codeNotInProgress:
		return "the call is over"
	case e.Code == codeNotFound:
		return "the call is over, or belongs to another account"
	case e.Status == http.StatusNotFound, e.Status >= 300 && e.Status <= 399:
		return "that is not Twilio's API: the base URL must be right"
	}
	return ""
}

// Unwrap returns the underlying error, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Is reports whether e is of a kind. A 404 without Twilio's code is not an ErrNoCall: it comes from another server.
func (e *Error) Is(kind error) bool {
	switch kind {
	case ErrNoCall:
		return e.Code == codeNotFound || e.Code == codeNotInProgress
	case ErrCredentials:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	}
	return false
}

// Retries are short because the caller hears silence while they last.
const (
	maxAttempts  = 4
	firstWait    = 250 * time.Millisecond
	maxRetryWait = 5 * time.Second
)

// retry reports whether to retry, and after which wait.
func (e *Error) retry(idempotent bool) (time.Duration, bool) {
	unsent := e.Status == 0 && !e.Unknown
	unclear := e.Unknown || e.cause != nil
	safe := e.Status == http.StatusTooManyRequests || unsent || unclear && idempotent
	if !safe || e.Attempts >= maxAttempts {
		return 0, false
	}
	wait := firstWait << (e.Attempts - 1)
	// Twilio sends Retry-After in seconds.
	if asked, err := strconv.ParseUint(e.retryAfter, 10, 16); err == nil {
		wait = max(wait, time.Duration(asked)*time.Second)
	}
	return wait, wait <= maxRetryWait
}
