package controltest

import "net/http"

// A Fault is a faulty response. The zero value is a correct response.
type Fault struct {
	// Status and Code make a refusal; its Message is what Twilio says with that code, unless given.
	Status  int
	Code    int
	Message string
	Header  http.Header
	// Body replaces the JSON of the answer, good or not.
	Body string
	// Done means that the update is executed nevertheless.
	Done bool
	// Break is how the connection fails.
	Break Break
}

// A Break is how a connection fails.
type Break int

// Breaks.
const (
	Silent   Break = iota + 1 // no response
	Cut                       // closed without an answer
	CutBody                   // closed in the middle of the answer's body
	SlowBody                  // the answer stands still in the middle of its body
)

// TooMany is a 429 with a Retry-After, unless that is empty.
func TooMany(retryAfter string) Fault {
	f := Fault{Status: http.StatusTooManyRequests, Code: 20429}
	if retryAfter != "" {
		f.Header = http.Header{"Retry-After": {retryAfter}}
	}
	return f
}

// Script has the next updates that are not refused by themselves answered with these faults, in order; after them all is well again.
func (t *Twilio) Script(faults ...Fault) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.script = append(t.script, faults...)
}

// next takes the next fault. The caller holds mu.
func (t *Twilio) next() Fault {
	if len(t.script) == 0 {
		return Fault{}
	}
	f := t.script[0]
	t.script = t.script[1:]
	return f
}

// messages are what Twilio says with its codes.
var messages = map[int]string{
	20001: "Unknown parameter value",
	20003: "Authenticate",
	20004: "Method not allowed",
	20429: "Too Many Requests",
	20500: "An internal server error has occurred",
	20503: "Service unavailable",
	21205: "Url is not a valid URL",
	21220: "Unable to update record: Call is not in-progress. Cannot redirect.",
	32018: "Twiml size exceeded maximum allowed value of 4000 characters",
}
