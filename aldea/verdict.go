package aldea

import (
	"errors"
	"time"
)

// A verdict says what the end of a connection, or a failed attempt at one, means for the stream.
type verdict int

const (
	verdictRetry   verdict = iota // connect again, with back-off
	verdictOnce                   // our fault or a bug: connect again once, then give up
	verdictRefused                // the key: try the other form, then give up
	verdictFatal                  // trying again cannot help
)

// judge reads an error. Aldea documents no close codes, so the meanings are those of RFC 6455 section 7.4.1
// and the policy follows Deepgram's published examples, except that a live call also comes back after 1000
// and 1001.
func judge(err error) verdict {
	if errors.Is(err, ErrUnauthorized) {
		return verdictRefused
	}
	var status *StatusError
	if errors.As(err, &status) {
		if status.Temporary() {
			return verdictRetry
		}
		return verdictFatal
	}
	var closed *CloseError
	if errors.As(err, &closed) {
		switch closed.Code {
		case 1002, 1003, 1007, 1008, 1009, 1010:
			if !closed.limited() {
				return verdictOnce
			}
		}
	}
	return verdictRetry
}

// retryAfterOf is the wait that the server asked for, 0 if none.
func retryAfterOf(err error) time.Duration {
	var status *StatusError
	if errors.As(err, &status) {
		return status.RetryAfter
	}
	return 0
}
