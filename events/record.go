package events

import (
	"time"

	"github.com/oklog/ulid/v2"
)

// A Record is a stored event as it is kept and sent: serialized once; the bytes never change.
type Record struct {
	Position int64  // place in the journal, rising with each record
	ID       string // the event's id: the webhook-id header
	CallID   string
	Sequence int64
	Type     Type
	Stored   time.Time // when the journal stored it
	// Body is the event's JSON. It must not be changed. It is nil where the journal leaves it to the reader to load it.
	Body []byte
	// Owed names the endpoints that still wait for the record. Nil means all endpoints.
	Owed []string
}

// NewID returns an event id for an event that happened at t: evt_ and a ULID, 30 characters of [A-Za-z0-9_].
// Ids made in one process for times that rise, rise. A ULID can hold the years 1970 to 10889; other times
// become the nearest of these. It may be called concurrently.
func NewID(t time.Time) string {
	ms := uint64(min(max(t.UnixMilli(), 0), int64(ulid.MaxTime())))
	id, err := ulid.New(ms, ulid.DefaultEntropy())
	if err != nil {
		panic("events: " + err.Error()) // more than 2^80 ids in one millisecond
	}
	return "evt_" + id.String()
}
