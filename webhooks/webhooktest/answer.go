package webhooktest

import "net/http"

// A Fault is a way in which an answer fails.
type Fault int

// The faults.
const (
	NoFault Fault = iota
	Reset         // read the request, then reset the connection without an answer
	Half          // the header, half of the body, then a reset
	Stall         // the header, half of the body, then nothing until the sender gives up
	Endless       // the header and a body that never ends, until the sender gives up
	Silent        // no answer until the sender gives up
)

// An Answer is the response to one request. The zero value is 200 without a body.
type Answer struct {
	Status int // zero means 200
	Header http.Header
	Body   []byte
	Fault  Fault
	// After delays the answer until the channel is closed or gives a value, the sender cancels, or the endpoint is
	// closed. Nil means no delay.
	After <-chan struct{}
	// Drip sends the body one byte at a time: a byte for each value from the channel, and the rest when it is closed.
	Drip <-chan struct{}
}

// OK is a 200 without a body.
func OK() Answer { return Answer{} }

// Status is an answer with that status and no body.
func Status(code int) Answer { return Answer{Status: code} }

// JSON is a 200 with a JSON body.
func JSON(body string) Answer {
	return Answer{Header: http.Header{"Content-Type": {"application/json"}}, Body: []byte(body)}
}

// Redirect is a redirect to another URL. Status is 301, 302, 303, 307 or 308.
func Redirect(status int, to string) Answer {
	return Answer{Status: status, Header: http.Header{"Location": {to}}}
}

// RetryAfter is an answer with that status and a Retry-After header.
func RetryAfter(status int, value string) Answer {
	return Answer{Status: status, Header: http.Header{"Retry-After": {value}}}
}

// Fail is an answer with a fault.
func Fail(f Fault) Answer { return Answer{Fault: f} }

// When returns a with After set.
func When(after <-chan struct{}, a Answer) Answer {
	a.After = after
	return a
}

// status returns the status that is sent, 0 for none.
func (a Answer) status() int {
	switch {
	case a.Fault == Reset || a.Fault == Silent:
		return 0
	case a.Status == 0:
		return http.StatusOK
	}
	return a.Status
}

// body returns the body that is sent. Faults need one that can be cut in half.
func (a Answer) body() []byte {
	if len(a.Body) == 0 && a.Fault != NoFault {
		return []byte(`{"half":"a body"}`)
	}
	return a.Body
}
