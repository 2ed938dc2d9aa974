package voice

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// ErrPanicked means that the code that makes or fetches the audio panicked.
var ErrPanicked = errors.New("a fault in the server ended the audio")

// recoverPanics runs work and returns its error, or ErrPanicked if it panicked. The log has the stack and the type of the
// panic's value, but not the value itself: it may contain the text to speak. A nil logger logs nothing.
func recoverPanics(logger *slog.Logger, work func() error) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		err = ErrPanicked
		if logger != nil {
			logger.Error("panic: the audio fails", "panic_type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
		}
	}()
	return work()
}
