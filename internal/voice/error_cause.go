package voice

import (
	"context"
	"errors"
	"io"

	"aldeabridge/internal/egress"
)

// A Cause says in one word, for programs, why audio failed.
type Cause string

// The causes of failed audio.
const (
	CauseTimeout Cause = "timeout"     // nothing came in time
	CauseNetwork Cause = "unreachable" // no connection, or it broke
	CauseRefused Cause = "refused"     // the service or the URL answered with an error, or it is not connected to
	CauseTooLong Cause = "too_long"    // more audio or bytes than are taken
	CauseEmpty   Cause = "empty"       // no audio
	CauseBad     Cause = "bad_audio"   // something else than audio, or not all of it
	CauseStopped Cause = "stopped"     // nobody wanted it any more
)

// CauseOf returns the word for an error of Say, Fetch, Decode or Audio.Next.
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
