package webhooks

import (
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// A verdict is the meaning of one attempt for the event.
type verdict int

// The header with which an answer declines one event or all further events.
const (
	failed    verdict = iota // retry on the schedule
	delivered                // a 2xx answer
	rejected                 // the endpoint would reject this event again
	slowDown                 // failed, and the whole endpoint is paused
	gone                     // the endpoint accepts no more events
	aborted                  // the endpoint declines this event
	refused                  // the guard refuses the endpoint's address
)

// The header by which an answer gives up on an event or on everything.
const (
	deliveryHeader  = "Webhook-Delivery"
	deliveryAbort   = "abort-message"
	deliveryDisable = "disable"
)

// judge evaluates the status and header of an answer. The duration is the pause that the endpoint asks for; it is
// only set with slowDown, and may be zero.
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
	// maxPause bounds the pause that an endpoint can ask for.
	maxPause = time.Hour
	// maxLivePause bounds the pause while a call is up, because the caller is waiting.
	maxLivePause = 30 * time.Second
)

// retryAfter parses a Retry-After header (RFC 9110 section 10.2.3): seconds, with decimals rounded up, or an HTTP
// date. The result is at most maxPause. It returns false for an invalid, zero or past value.
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
