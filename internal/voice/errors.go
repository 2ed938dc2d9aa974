package voice

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

var (
	// ErrClosed means that the Audio, Speaker or Fetcher was closed.
	ErrClosed = errors.New("voice: closed")
	// ErrEmpty means that an engine or a URL provided no audio.
	ErrEmpty = errors.New("there was no audio in it")
	// ErrTooLong means that the audio exceeds 15 minutes or a Fetcher's limit.
	ErrTooLong = errors.New("the audio is too long")
)

// An Error is an engine's failure.
type Error struct {
	Engine string // as "cartesia"
	Status int    // of its HTTP answer; 0 where there was none or it was well
	Reason string // what went wrong, without the key and the text
	Err    error  // the cause, if there is one; its text is in Reason
}

// Error returns the text of the error.
func (e *Error) Error() string {
	s := "voice: " + e.Engine
	if e.Status != 0 {
		s += fmt.Sprintf(" answered %d %s", e.Status, http.StatusText(e.Status))
	}
	if e.Reason != "" {
		s += ": " + e.Reason
	}
	return s
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// failed returns an Error with a cause.
func failed(engine string, err error) error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return err
	}
	return &Error{Engine: engine, Reason: err.Error(), Err: err}
}

// A TimeoutError means that no data arrived in time. It is the cause of an Error.
type TimeoutError struct {
	What string // as "no audio"
	For  time.Duration
}

// Error returns the text of the error.
func (e *TimeoutError) Error() string { return fmt.Sprintf("%s within %v", e.What, e.For) }

// Timeout returns true, as net.Error defines it.
func (e *TimeoutError) Timeout() bool { return true }

// brokenError means that a connection broke. It is an io.ErrUnexpectedEOF.
type brokenError struct{ text string }

func (e *brokenError) Error() string { return e.text }

func (e *brokenError) Unwrap() error { return io.ErrUnexpectedEOF }
