package reqbody

import (
	"errors"
	"net"

	"github.com/valyala/fasthttp"
)

// An Error says why a body is not read, for the answer to the request.
type Error struct {
	Status int
	Detail string
}

// Error returns the text of the error.
func (e *Error) Error() string { return "reqbody: " + e.Detail }

var (
	errCoded = &Error{fasthttp.StatusUnsupportedMediaType,
		"The body has a Content-Encoding: send it as it is, without compression."}
	errTwoLengths = &Error{fasthttp.StatusBadRequest, "The request has both Content-Length and Transfer-Encoding: one is right."}
	errBusy       = &Error{fasthttp.StatusServiceUnavailable,
		"Too many request bodies are being received at the same time: try again in a second."}
	errTimeout    = &Error{fasthttp.StatusRequestTimeout, "The body did not arrive in time."}
	errIncomplete = &Error{fasthttp.StatusBadRequest, "The body ended before its announced length, or its chunks are not readable."}
)

// broken returns what an error of the connection means for the body.
func broken(err error) error {
	var netErr net.Error
	if errors.As(err, &netErr) && netErr.Timeout() {
		return errTimeout
	}
	return errIncomplete
}
