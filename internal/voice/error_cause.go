package voice

import (
	"context"
	"errors"
	"io"

	"aldeabridge/internal/egress"
)

// A Cause is why audio failed, as one word for programs.
type Cause string

// The causes of failed audio.
const (
	CauseTimeout Cause = "timeout"     // no data in time
	CauseNetwork Cause = "unreachable" // no connection, or it broke
	CauseRefused Cause = "refused"     // an error response, or a URL or address that is not allowed
	CauseTooLong Cause = "too_long"    // more audio or bytes than the limit
	CauseEmpty   Cause = "empty"       // no audio
	CauseBad     Cause = "bad_audio"   // invalid or incomplete audio
	CauseStopped Cause = "stopped"     // canceled
)

// CauseOf returns the Cause of an error of Say, Fetch, Decode or Audio.Next.
func CauseOf(err error) Cause {
	var (
		timeout *TimeoutError
		engine  *Error
	)
	switch {
	case errors.Is(err, ErrClosed), errors.Is(err, context.Canceled):
		return CauseStopped
	case errors.As(err, &timeout):
		return CauseTimeout
	case errors.As(err, &engine) && engine.Status != 0, errors.Is(err, errStatus), errors.Is(err, egress.ErrAddressRefused), errors.Is(err, egress.ErrURL):
		return CauseRefused
	case errors.Is(err, ErrTooLong):
		return CauseTooLong
	case errors.Is(err, ErrEmpty):
		return CauseEmpty
	case errors.Is(err, egress.ErrFailed), errors.Is(err, io.ErrUnexpectedEOF):
		return CauseNetwork
	}
	return CauseBad
}
