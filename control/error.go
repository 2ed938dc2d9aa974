package control

import (
	"errors"
	"fmt"
	"math"
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

// An Error says what was not done, and why. Its text is fit for who asked for it: it holds no credentials.
type Error struct {
	What    string // "hang up", "redirect", "twiml" or "transfer"
	Status  int    // of Twilio's answer; 0 if there was none
	Code    int    // Twilio's, 0 if it gave none
	Message string // Twilio's, in one line, shortened
	Reason  string // ours, where Twilio gave none

	cause      error
	unsent     bool   // nothing of it has reached Twilio
	retryAfter string // as in the answer
}

// Error is such as `transfer: Twilio answered 400, code 21220: Call is not in-progress.`.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.What + ": ")
	if e.Status != 0 {
		fmt.Fprintf(&b, "Twilio answered %d", e.Status)
		if e.Code != 0 {
			fmt.Fprintf(&b, ", code %d", e.Code)
		}
		if text := e.Message + e.Reason; text != "" {
			b.WriteString(": " + text)
		}
	} else {
		b.WriteString(e.Reason)
	}
	if e.unclear() {
		b.WriteString(" (whether it was done is not known)")
	}
	return b.String()
}

// Unwrap returns what went wrong beneath, if anything did.
func (e *Error) Unwrap() error { return e.cause }

// Is says whether e is of a sort.
func (e *Error) Is(sort error) bool {
	switch sort {
	case ErrNoCall:
		return e.Code == codeNotFound || e.Code == codeNotInProgress
	case ErrCredentials:
		return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	}
	return false
}

// isOver says whether the call that was to end had ended. A 404 without Twilio's code is somebody else's.
func isOver(err error) bool { return errors.Is(err, ErrNoCall) }

// unclear says whether Twilio may have done it nevertheless.
func (e *Error) unclear() bool {
	if e.Status == 0 {
		return !e.unsent
	}
	return e.Status >= 500 || e.Status <= 299
}

// The patience of a caller who hears nothing meanwhile.
const (
	maxAttempts  = 4
	firstWait    = 250 * time.Millisecond
	maxRetryWait = 5 * time.Second
)

// retry says whether to try once more after attempt n, and when. Twice says that it does no harm if it was done.
func (e *Error) retry(n int, twice bool) (time.Duration, bool) {
	safe := e.Status == http.StatusTooManyRequests || e.unclear() && twice || e.Status == 0 && e.unsent && e.cause != nil
	if n >= maxAttempts || !safe {
		return 0, false
	}
	wait := firstWait << (n - 1)
	if asked, ok := seconds(e.retryAfter); ok {
		wait = max(wait, asked)
	}
	return wait, wait <= maxRetryWait
}

// seconds reads a Retry-After in seconds, the form that Twilio uses.
func seconds(s string) (time.Duration, bool) {
	f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(f) || f <= 0 {
		return 0, false
	}
	return time.Duration(min(f, 3600) * float64(time.Second)), true
}
