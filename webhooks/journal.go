package webhooks

import (
	"context"

	"aldeabridge/events"
)

// A Journal keeps events and what became of them. Its methods may be called concurrently.
type Journal interface {
	// Read returns up to max records after a position, oldest first. It waits for the first if there is
	// none, and it returns as soon as one is appended: followers are woken, they do not poll. It returns
	// an error when ctx ends first. A record that says who is owed it goes to nobody else. One may come
	// without its body, to be loaded when it is sent.
	Read(ctx context.Context, after int64, max int) ([]events.Record, error)
	// Load returns the record at position with its body. If it is gone, the error wraps fs.ErrNotExist.
	Load(ctx context.Context, position int64) (events.Record, error)
	// Settle says that the record at position needs no more delivery at the endpoint of that name. The
	// state is StateDelivered, StateFiltered or what Reason.State returns.
	Settle(ctx context.Context, position int64, endpoint string, state string) error
}

// The states in which a delivery is settled, beside the dead ones (see Reason.State).
const (
	StateDelivered = "delivered" // a 2xx answer came
	StateFiltered  = "filtered"  // the endpoint does not want events of this type
)

// A Reason says why a delivery is dead: it will not be tried again by itself.
type Reason string

// Why deliveries die.
const (
	ReasonExhausted        Reason = "exhausted"           // the schedule came to its end
	ReasonRejected         Reason = "rejected"            // the endpoint refused this event three times
	ReasonEndpointGone     Reason = "endpoint_gone"       // the event waited when the endpoint said 410
	ReasonEndpointDisabled Reason = "endpoint_disabled"   // the event came after that, or nothing was accepted for three days
	ReasonExpired          Reason = "expired"             // it waited for three days
	ReasonDiscarded        Reason = "discarded"           // it was deleted from the journal while it waited
	ReasonAborted          Reason = "aborted_by_receiver" // the answer said webhook-delivery: abort-message
	ReasonAddressRefused   Reason = "address_refused"     // we do not connect to such addresses
)

// deadPrefix begins the states of dead deliveries.
const deadPrefix = "dead:"

// State is the state a dead delivery is settled in: "dead:" and the reason.
func (r Reason) State() string { return deadPrefix + string(r) }
