package webhooks

import (
	"time"

	"aldeabridge/events"
)

// An Attempt is one HTTP request and what came of it.
type Attempt struct {
	Endpoint string // its name
	EventID  string
	CallID   string
	Sequence int64
	Type     events.Type
	// Number counts the event's attempts from 1, as bridge-attempt does. A connection that broke at once
	// is tried again at once under the same number.
	Number int
	Live   bool      // the call was up
	Start  time.Time // when the request was begun
	// Status is the answer's, 0 if there was none.
	Status int
	// Class is empty after a 2xx answer and for failures that Status tells.
	Class Class
	// Err says what went wrong, for people. It is nil after a 2xx answer.
	Err error
	// Answer is the beginning of the answer's body, at most 2 KiB.
	Answer []byte
	// AnswerErr says why the answer's body could not be read, if so. After a 2xx answer the event is delivered all the same.
	AnswerErr error
	// Latency is from Start to the end of the answer.
	Latency time.Duration
	// SinceStored is from the event's place in the journal to the end of the answer.
	SinceStored time.Duration
	// State is what the delivery is settled as, empty if there will be another attempt.
	State string
	// Retry is the wait until then, if State is empty. It is zero while the endpoint's breaker is open.
	Retry time.Duration
	// Redelivery is the id of the redelivery that asked for it, or empty.
	Redelivery string
	// Remote is the address that was connected to, the proxy's if there is one, and empty if there was no connection.
	Remote string
}

// keptAnswer is how much of an answer an Attempt carries.
const keptAnswer = 2 << 10

// A Reply is the body of a 2xx answer to an event of a call that is up. It may ask for actions.
type Reply struct {
	Endpoint string // its name
	Record   events.Record
	Body     []byte // at most 2 MiB
	// Err is set when the body did not come whole, is too long, or cannot be unpacked. The event is delivered all the same.
	Err error
}
