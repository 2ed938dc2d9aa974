// Package types has the JSON types of the HTTP API. The server and its clients share them.
package types

import "aldeabridge/events"

// A Page is a part of a list. NextCursor asks for the part behind it and is nil in the last.
type Page[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"`
}

// A List is a whole list.
type List[T any] struct {
	Data []T `json:"data"`
}

// The states of a call.
const (
	CallUp    = "up"
	CallEnded = "ended"
	CallLost  = "lost" // the program that took it ended first
)

// A Call is what is known of a call.
type Call struct {
	ID         string           `json:"id"` // the carrier's
	Carrier    string           `json:"carrier"`
	From       string           `json:"from"`
	To         string           `json:"to"`
	Direction  events.Direction `json:"direction"`
	State      string           `json:"state"`
	Started    Time             `json:"started"`
	Ended      Time             `json:"ended"`
	Reason     events.EndReason `json:"reason"`      // why it ended; empty unless it has
	Duration   events.Offset    `json:"duration_ms"` // from its beginning to the end of its last stream
	Events     int              `json:"events"`
	Utterances int              `json:"utterances"`
	Deliveries DeliveryCounts   `json:"deliveries"`
}

// DeliveryCounts counts a call's deliveries that did not arrive.
type DeliveryCounts struct {
	Waiting int `json:"waiting"`
	Dead    int `json:"dead"`
}

// A Transcript is what was said on a call, in the order of start times.
type Transcript struct {
	Call       Call        `json:"call"`
	Utterances []Utterance `json:"utterances"`
}

// An Utterance is one of a call's utterances. Its times count from the beginning of the call.
type Utterance struct {
	events.Utterance
	StreamID string `json:"stream_id"`
}

// A Found is an utterance that a search found.
type Found struct {
	CallID     string           `json:"call_id"`
	Position   int64            `json:"position"`
	Sequence   int64            `json:"sequence"`
	Timestamp  Time             `json:"timestamp"`
	Utterance  events.Utterance `json:"utterance"`
	Snippet    string           `json:"snippet"`
	Highlights [][2]int         `json:"highlights"` // of the snippet's characters (code points): from, up to
}

// The states of a delivery.
const (
	DeliveryWaiting   = "waiting"
	DeliveryDelivered = "delivered"
	DeliveryFiltered  = "filtered" // the endpoint does not want such events
	DeliveryDead      = "dead"     // given up
)

// A Delivery is one event and one endpoint.
type Delivery struct {
	ID       string      `json:"id"` // EVENT_ID.ENDPOINT
	EventID  string      `json:"event_id"`
	Type     events.Type `json:"type"`
	CallID   string      `json:"call_id"`
	Sequence int64       `json:"sequence"`
	Endpoint string      `json:"endpoint"`
	State    string      `json:"state"`
	Reason   string      `json:"reason"` // of a dead one
	Stored   Time        `json:"stored"`
	Settled  Time        `json:"settled"` // null while it waits
	Attempts int         `json:"attempts"`
	// NextAttempt is when it is tried at the earliest, behind the events of its call that wait too. It is null unless it waits.
	NextAttempt Time `json:"next_attempt"`
}

// A LoggedDelivery is a delivery and the requests that were made for it.
type LoggedDelivery struct {
	Delivery
	Log []Attempt `json:"log"`
}

// An Attempt is one request to an endpoint and its result.
type Attempt struct {
	Number     int     `json:"number"`
	Started    Time    `json:"started"`
	LatencyMS  float64 `json:"latency_ms"` // to the end of the answer
	Status     int     `json:"status"`     // 0 without an answer
	Class      string  `json:"class"`      // the kind of failure, empty where the status says it
	Error      string  `json:"error"`
	Remote     string  `json:"remote"`     // the address that was connected to
	Live       bool    `json:"live"`       // the call was up
	Redelivery string  `json:"redelivery"` // the redelivery that asked for it, or empty
	Answer     string  `json:"answer"`     // the beginning of the answer's body
}

// Redeliveries are those that a request started, or found under way.
type Redeliveries struct {
	Redeliveries []StartedRedelivery `json:"redeliveries"`
}

// A StartedRedelivery is events that are being sent again to one endpoint.
type StartedRedelivery struct {
	ID       string `json:"id"`
	Endpoint string `json:"endpoint"`
	What     string `json:"what"`
}

// A Redelivery tells how a redelivery goes.
type Redelivery struct {
	ID        string `json:"id"`
	Endpoint  string `json:"endpoint"`
	What      string `json:"what"`
	Started   Time   `json:"started"`
	Finished  Time   `json:"finished"` // null while it goes on
	Delivered int    `json:"delivered"`
	Failed    int    `json:"failed"`
	Waiting   int    `json:"waiting"`
	Error     string `json:"error"` // why not all that was asked for was sent; empty if it was
}

// An Endpoint tells how a webhook does. It never holds its URL, which may be secret.
type Endpoint struct {
	Name    string `json:"name"`
	State   string `json:"state"`   // open, paused, failing, disabled
	Until   Time   `json:"until"`   // the next attempt at the earliest, if it is paused or failing
	Lanes   int    `json:"lanes"`   // calls with something to send
	Waiting int    `json:"waiting"` // events
	Sending int    `json:"sending"` // requests under way
	Oldest  Time   `json:"oldest"`  // when the oldest waiting event was stored
}

// A Problem is the body of an error (RFC 9457).
type Problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}
