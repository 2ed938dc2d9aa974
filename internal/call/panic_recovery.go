package call

import (
	"fmt"
	"runtime/debug"
)

// recovered ends the call if the goroutine that defers it panics: a fault in the work for one call must not end the others.
// It must be deferred directly.
func (c *Call) recovered() {
	if p := recover(); p != nil {
		c.panicked(p, debug.Stack())
	}
}

// panicked logs a panic and ends the stream. The log has the type of the panic's value, but not its text, which may contain
// speech.
func (c *Call) panicked(p any, stack []byte) {
	text := fmt.Sprintf("%T", p)
	if err, ok := p.(error); ok {
		if r, ok := err.(interface{ RuntimeError() }); ok {
			text = fmt.Sprint(r) // index out of range, nil dereference: no foreign text
		}
	}
	c.logger.Error("panic: the call ends", "panic_type", text, "stack", string(stack))
	c.cancel()
	if c.abort != nil {
		c.abort()
	}
}
