package aldea

import (
	"errors"
	"net/http"
	"time"
)

// A verdict says what the end of a connection, or a failed attempt at one, means for the stream.
type verdict int

const (
	verdictRetry   verdict = iota // connect again, with back-off
	verdictOnce                   // our fault or a bug: connect again once, then it is a refusal
	verdictKey                    // the key is refused: try the other form, then it is a refusal
	verdictRefused                // trying again soon does not help
)

// judge reads an error. Aldea documents no close codes, so the meanings are those of RFC 6455 section 7.4.1
// and the policy follows Deepgram's published examples, except that a live call also comes back after 1000
// and 1001.
func judge(err error) verdict {
	if errors.Is(err, ErrUnauthorized) {
		return verdictKey
	}
	var status *StatusError
	if errors.As(err, &status) && !status.Temporary() {
		return verdictRefused
	}
	var closed *CloseError
	if errors.As(err, &closed) && closed.refuses() {
		return verdictOnce
	}
	return verdictRetry
}

// refusesSettings reports whether the settings of a stream may be why it is refused: then others may be taken.
func refusesSettings(err error) bool {
	var status *StatusError
	if errors.As(err, &status) {
		return status.aboutSettings() || status.Status == http.StatusForbidden
	}
	return judge(err) == verdictOnce
}

// retryAfterOf is the wait that the server asked for, 0 if none.
func retryAfterOf(err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) {
		return status.RetryAfter
	}
	return 0
}
