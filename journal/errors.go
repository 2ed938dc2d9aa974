package journal

import "errors"

var (
	// ErrNotStored means that the event is of a kind that only lives (its body says so), or has no body.
	ErrNotStored = errors.New("journal: event is not of a stored kind")
	// ErrFull means that there is no room until older records are settled. The event was not taken.
	ErrFull = errors.New("journal: full")
	// ErrClosed means that the journal was closed.
	ErrClosed = errors.New("journal: closed")
	// ErrNoRecord means that no record ever had this position.
	ErrNoRecord = errors.New("journal: no such record")
	// ErrNoEndpoint means that the journal was not told of this endpoint.
	ErrNoEndpoint = errors.New("journal: no such endpoint")
)
