package aldea

import (
	"errors"
	"net"
	"net/http"
)

// A Cause says in one word, for programs, why a stream is in trouble.
type Cause string

// The causes of trouble.
const (
	// CauseConnectionLost: an established connection ended.
	CauseConnectionLost Cause = "connection_lost"
	// CauseUnreachable: no connection could be opened.
	CauseUnreachable Cause = "unreachable"
	// CauseOverloaded: the recognizer said that it cannot serve, such as with 503.
	CauseOverloaded Cause = "overloaded"
	// CauseRateLimited: the recognizer said that this is too much for the key, such as with 429.
	CauseRateLimited Cause = "rate_limited"
	// CauseRefused: the recognizer refuses the key, the plan, the settings or what it is sent.
	CauseRefused Cause = "refused"
	// CauseStalled: a connection was open, but nothing came back.
	CauseStalled Cause = "stalled"
	// CauseConcurrencyLimit: as many connections as Config.MaxConnections allows are in use.
	CauseConcurrencyLimit Cause = "concurrency_limit"
	// CauseSlow: the recognizer takes the audio more slowly than it comes.
	CauseSlow Cause = "slow"
)

// errStalled is the end of a connection on which speech was sent and nothing came back.
var errStalled = errors.New("aldea: nothing came back for the speech that was sent")

// causeOf finds the word for the end of a connection, or for a failed attempt at one.
func causeOf(err error, connected bool) Cause {
	var status *StatusError
	if errors.As(err, &status) {
		return causeOfStatus(status)
	}
	var closed *CloseError
	if errors.As(err, &closed) {
		return causeOfClose(closed)
	}
	if !connected {
		return CauseUnreachable
	}
	if errors.Is(err, errDrainTimeout) {
		return CauseSlow
	}
	var timeout net.Error
	if errors.Is(err, errStalled) || errors.As(err, &timeout) && timeout.Timeout() {
		return CauseStalled
	}
	return CauseConnectionLost
}

func causeOfStatus(err *StatusError) Cause {
	switch {
	case err.Status == http.StatusTooManyRequests:
		return CauseRateLimited
	case err.Temporary() && err.Status != http.StatusPaymentRequired:
		return CauseOverloaded
	}
	return CauseRefused
}

func causeOfClose(err *CloseError) Cause {
	switch {
	case errors.Is(err, ErrUnauthorized):
		return CauseRefused
	case err.limited():
		return CauseRateLimited
	case err.Code == 1013 || err.speaksOf("overload", "capacity"): // 1013 is "try again later"
		return CauseOverloaded
	case err.refuses():
		return CauseRefused
	}
	return CauseConnectionLost
}
