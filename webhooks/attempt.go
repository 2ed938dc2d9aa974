package webhooks

import (
	"time"

	"aldeabridge/events"
)

// An Attempt is one HTTP request and its outcome.
type Attempt struct {
	Endpoint string // the endpoint's name
	EventID  string
	CallID   string
	Sequence int64
	Type     events.Type
	// Number counts the event's attempts from 1, as the header bridge-attempt does. The immediate repetition after a
	// broken connection has the same number.
	Number int
	Live   bool      // the call was up
	Start  time.Time // when the request began
	// Status is the HTTP status of the answer, 0 if there was none.
	Status int
	// Class is empty after a 2xx answer and for failures that Status describes.
	Class Class
	// Err describes the failure. It is nil after a 2xx answer.
	Err error
	// Answer is the beginning of the answer's body, at most 2 KiB.
	Answer []byte
	// AnswerErr is the reason why the answer's body could not be read, or nil. After a 2xx answer the event is
	// delivered all the same.
	AnswerErr error
	// Latency is the time from Start to the end of the answer.
	Latency time.Duration
	// SinceStored is the time from when the journal stored the event to the end of the answer.
	SinceStored time.Duration
	// State is the state in which the delivery is settled, empty if another attempt follows.
	State string
	// Retry is the delay before the next attempt if State is empty. It is zero while the endpoint's breaker is open.
	Retry time.Duration
	// Redelivery is the id of the redelivery that sent the event, or empty.
	Redelivery string
	// Remote is the address of the connection (the proxy's if there is one), empty if none was made.
	Remote string
}

// keptAnswer is the number of bytes of an answer that an Attempt carries.
const keptAnswer = 2 << 10

// A Reply is the body of a 2xx answer to an event of a call that is up. It may ask for actions.
type Reply struct {
	Endpoint string // the endpoint's name
	Record   events.Record
	Body     []byte // at most 2 MiB
	// Err is set when the body is incomplete, too long, or cannot be decompressed. The event is delivered all the
	// same.
	Err error
}
