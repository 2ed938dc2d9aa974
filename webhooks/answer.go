package webhooks

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A verdict is what one attempt means for the event.
type verdict int

const (
	failed    verdict = iota // try again on the schedule
	delivered                // a 2xx answer
	rejected                 // this event will not be liked later either
	slowDown                 // failed, and the whole endpoint is to be left alone for a while
	gone                     // the endpoint wants no more events at all
	aborted                  // the endpoint does not want this event
	refused                  // we do not connect there
)

// The header by which an answer gives up on an event or on everything.
const (
	deliveryHeader  = "Webhook-Delivery"
	deliveryAbort   = "abort-message"
	deliveryDisable = "disable"
)

// judge reads an answer's status and header. The duration is how long the endpoint asks to be left alone; it
// is only set with slowDown, and may be zero there.
func judge(status int, header http.Header, now time.Time) (verdict, time.Duration) {
	if status >= 200 && status <= 299 {
		return delivered, 0
	}
	switch strings.ToLower(strings.TrimSpace(header.Get(deliveryHeader))) {
	case deliveryAbort:
		return aborted, 0
	case deliveryDisable:
		return gone, 0
	}
	pause, asked := retryAfter(header.Get("Retry-After"), now)
	switch status {
	case http.StatusGone:
		return gone, 0
	case http.StatusTooManyRequests:
		return slowDown, pause
	case http.StatusServiceUnavailable:
		if asked {
			return slowDown, pause
		}
	case http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusNotAcceptable,
		http.StatusLengthRequired, http.StatusRequestEntityTooLarge,
		http.StatusRequestURITooLong, http.StatusUnsupportedMediaType,
		http.StatusUnprocessableEntity, http.StatusRequestHeaderFieldsTooLarge:
		return rejected, 0
	}
	return failed, 0
}

const (
	// maxPause bounds how long an endpoint may ask to be left alone.
	maxPause = time.Hour
	// maxLivePause bounds it while a call is up: its caller is waiting.
	maxLivePause = 30 * time.Second
)

// retryAfter reads a Retry-After header (RFC 9110 section 10.2.3): seconds, decimals rounded up, or an HTTP
// date. It returns false for what is unreadable, zero or past, and never more than maxPause.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	value = strings.TrimSpace(value)
	if value == "" {
		return 0, false
	}
	if strings.Trim(value, "0123456789.") == "" {
		seconds, err := strconv.ParseFloat(value, 64)
		if seconds > maxPause.Seconds() { // also where it is out of range
			return maxPause, true
		}
		d := time.Duration(math.Ceil(seconds)) * time.Second
		return d, err == nil && d > 0
	}
	at, err := http.ParseTime(value)
	if err != nil || !at.After(now) {
		return 0, false
	}
	return min(at.Sub(now), maxPause), true
}
