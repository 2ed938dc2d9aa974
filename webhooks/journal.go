package webhooks

import (
	"context"

	"aldeabridge/events"
)

// A Journal stores events and the state of their deliveries. Its methods may be called concurrently.
type Journal interface {
	// Read returns up to max records after a position, oldest first. If there is none it blocks until one is appended
	// or ctx ends, and then returns ctx's error. A record with Owed is delivered to those endpoints only. Bodies may
	// be nil: Load returns them.
	Read(ctx context.Context, after int64, max int) ([]events.Record, error)
	// Load returns the record at position with its body. If it was deleted, the error wraps fs.ErrNotExist.
	Load(ctx context.Context, position int64) (events.Record, error)
	// Settle records that the record at position needs no more delivery at the named endpoint. The state is
	// StateDelivered, StateFiltered or the result of Reason.State.
	Settle(ctx context.Context, position int64, endpoint string, state string) error
}

// The states in which a delivery is settled, apart from the dead ones (see Reason.State).
const (
	StateDelivered = "delivered" // a 2xx answer came
	StateFiltered  = "filtered"  // the endpoint does not subscribe to events of this type
)

// A Reason is the cause of a dead delivery, which is not retried automatically.
type Reason string

// The reasons of dead deliveries.
const (
	ReasonExhausted        Reason = "exhausted"           // all attempts of the schedule failed
	ReasonRejected         Reason = "rejected"            // the endpoint rejected this event three times
	ReasonEndpointGone     Reason = "endpoint_gone"       // the event was waiting when the endpoint answered 410
	ReasonEndpointDisabled Reason = "endpoint_disabled"   // the endpoint was disabled when the event came
	ReasonExpired          Reason = "expired"             // the event waited for three days
	ReasonDiscarded        Reason = "discarded"           // the event was deleted from the journal while it waited
	ReasonAborted          Reason = "aborted_by_receiver" // the answer said webhook-delivery: abort-message
	ReasonAddressRefused   Reason = "address_refused"     // the guard refuses the endpoint's address
)

// deadPrefix is the prefix of the states of dead deliveries.
const deadPrefix = "dead:"

// State returns the state in which a dead delivery is settled: "dead:" and the reason.
func (r Reason) State() string { return deadPrefix + string(r) }
