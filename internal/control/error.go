package control

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// What callers may want to test an Error for, with errors.Is.
var (
	// ErrNoCall means that there is no such call, or that it is over.
	ErrNoCall = errors.New("control: no such call is live")
	// ErrCredentials means that Twilio does not accept the SID and the secret. Trying again will not help.
	ErrCredentials = errors.New("control: credentials refused")
)

// Twilio's error codes that mean something to us, https://www.twilio.com/docs/api/errors.
const (
	codeNotFound      = 20404 // no such resource
	codeNotInProgress = 21220 // the call is not in a state for this
)

// An Error says what was not done, and why. Its text is fit for who asked for it: it holds no credentials, and nothing of
// the network that we are in.
type Error struct {
	What     string // "hang up", "redirect", "twiml" or "transfer"
	Status   int    // of Twilio's answer; 0 if there was none
	Code     int    // Twilio's, 0 if it gave none
	Reason   string // in one line: Twilio's, shortened, or ours
	Attempts int    // how often Twilio was asked
	// Unknown means that it may have been done nevertheless.
	Unknown bool

	cause      error  // there was no answer, or it could not be read
	retryAfter string // as in the answer
}

// Error is such as `transfer: Twilio answered 400, code 21220: Call is not in-progress. Cannot redirect; the call is over`.
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

// advice says what an answer means here, or what would be right.
func (e *Error) advice() string {
	switch {
	case e.cause != nil: // nobody knows what it said
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

// Unwrap returns what went wrong beneath, if anything did.
func (e *Error) Unwrap() error { return e.cause }

// Is says whether e is of a sort. A 404 without Twilio's code is somebody else's, and no ErrNoCall.
func (e *Error) Is(sort error) bool {
	switch sort {
	case ErrNoCall:
		return e.Code == codeNotFound || e.Code == codeNotInProgress
	case ErrCredentials:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	}
	return false
}

// The patience of a caller who hears nothing meanwhile.
const (
	maxAttempts  = 4
	firstWait    = 250 * time.Millisecond
	maxRetryWait = 5 * time.Second
)

// retry says whether to try once more, and when. Twice says that it does no harm if it was done.
func (e *Error) retry(twice bool) (time.Duration, bool) {
	unsent := e.Status == 0 && !e.Unknown
	unclear := e.Unknown || e.cause != nil
	safe := e.Status == http.StatusTooManyRequests || unsent || unclear && twice
	if !safe || e.Attempts >= maxAttempts {
		return 0, false
	}
	wait := firstWait << (e.Attempts - 1)
	// In seconds, the form that Twilio uses.
	if asked, err := strconv.ParseUint(e.retryAfter, 10, 16); err == nil {
		wait = max(wait, time.Duration(asked)*time.Second)
	}
	return wait, wait <= maxRetryWait
}
