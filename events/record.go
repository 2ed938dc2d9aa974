package events

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// A Record is a stored event as it is kept and sent: serialised once, and those bytes for ever.
type Record struct {
	Position int64  // place in the journal, rising with each record
	ID       string // the event's id: the webhook-id header
	CallID   string
	Sequence int64
	Type     Type
	Stored   time.Time // when the journal took it
	Body     []byte    // the event's JSON; nobody changes it
}

// NewID returns an event id for an event that happened at t: evt_ and a ULID, 30 characters of [A-Za-z0-9_].
// Ids made in one process rise. It may be called concurrently.
func NewID(t time.Time) string {
	id, err := ulid.New(ulid.Timestamp(t), ulid.DefaultEntropy())
	if err != nil {
		// The only errors are a time after the year 10889 and more than 2^80 ids in one millisecond.
		panic("events: " + err.Error())
	}
	return "evt_" + id.String()
}
