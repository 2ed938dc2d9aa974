package api

import (
	"context"
	"errors"
	"io"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

var (
	// ErrNotFound means that there is no such call or endpoint.
	ErrNotFound = errors.New("api: not found")
	// ErrConflict means that it cannot be done in the state that things are in.
	ErrConflict = errors.New("api: conflict")
	// ErrCursor means that a page was asked for with a cursor that no page gave.
	ErrCursor = errors.New("api: bad cursor")
	// ErrDisk means that the disk does not take what is to be written. What a *DiskError says beside it may be told.
	ErrDisk = errors.New("api: the disk does not take it")
	// ErrDamaged means that the journal is damaged where it was to be read.
	ErrDamaged = errors.New("api: the journal is damaged")
	// ErrUnavailable means that it cannot be done now, because the program ends.
	ErrUnavailable = errors.New("api: unavailable")
)

// A SearchError means that there is nothing to look for in the text of a search, or that it is not well formed.
type SearchError struct {
	Reason string // for people: what is wrong, and what would be right
}

// Error returns the text of the error.
func (e *SearchError) Error() string { return "api: bad search: " + e.Reason }

// A DiskError is an ErrDisk and why, in words that name no files.
type DiskError struct {
	Reason string
	Err    error
}

// Error is what the error below says.
func (e *DiskError) Error() string { return e.Err.Error() }

// Unwrap returns ErrDisk and the error below.
func (e *DiskError) Unwrap() []error { return []error{ErrDisk, e.Err} }

// A Journal keeps what happened. Its methods may be called concurrently. Those that return a cursor return the empty
// one with the last page.
type Journal interface {
	// Calls returns a page of calls, newest first. It fails with ErrCursor.
	Calls(ctx context.Context, f CallFilter) (calls []types.Call, next string, err error)
	// Call fails with ErrNotFound.
	Call(ctx context.Context, id string) (types.Call, error)
	// DeleteCall forgets a call. It fails with ErrNotFound, with ErrConflict while the call is up, or with ErrDisk. Everything may
	// fail with ErrDamaged.
	DeleteCall(ctx context.Context, id string) error
	// Events returns up to max stored events of a call with a sequence after after, in order.
	Events(ctx context.Context, call string, after int64, max int) ([]events.Record, error)
	// Since returns up to max records of all calls with positions after after, in order. If there is none
	// it waits for one until ctx ends. It returns no record with a position after Last.
	Since(ctx context.Context, after int64, max int) ([]events.Record, error)
	// Last is the position of the newest record. It does not wait.
	Last() int64
	// Search returns a page of utterances, newest first. It fails with a *SearchError or ErrCursor.
	Search(ctx context.Context, f SearchFilter) (hits []Hit, next string, err error)
	// Deliveries returns a page of deliveries, newest event first. It fails with ErrCursor.
	Deliveries(ctx context.Context, f DeliveryFilter) (deliveries []types.Delivery, next string, err error)
	// Attempts returns the requests made for an event to an endpoint, oldest first.
	Attempts(ctx context.Context, event, endpoint string) ([]types.Attempt, error)
	// Backup returns a copy of the whole journal and its size in bytes. The caller closes it, and that ends it.
	Backup(ctx context.Context) (file io.ReadCloser, size int64, err error)
}

// A Deliverer sends events to endpoints. Its methods may be called concurrently.
type Deliverer interface {
	// Redeliver sends again, to the endpoint f.Endpoint, what f wants of what is delivered or dead, and tries at once what
	// waits. what says so to people; the same wish made twice is one redelivery. It fails with ErrNotFound without such an
	// endpoint, and with ErrUnavailable.
	Redeliver(f DeliveryFilter, what string) (id string, err error)
	// NextAttempt is when what waits of a call is tried at the earliest, the oldest event first; zero if nothing waits.
	NextAttempt(endpoint, call string) time.Time
	// Redeliveries returns those that it knows of, oldest first.
	Redeliveries() []types.Redelivery
	// Endpoints returns all endpoints.
	Endpoints() []types.Endpoint
}

// A CallFilter says which calls are wanted. Empty and zero fields want all.
type CallFilter struct {
	Since, Until time.Time // of the call's beginning: Since inclusive, Until exclusive
	Number       string    // that called or was called
	State        string
	Cursor       string
	Limit        int // calls a page
}

// A SearchFilter says which utterances are wanted.
type SearchFilter struct {
	Text   string
	Cursor string
	Limit  int // utterances a page
}

// A Hit is an utterance that was found.
type Hit struct {
	Record events.Record
	// Snippet is the text about the words, in which each begins with U+0002 and ends with U+0003.
	Snippet string
}

// A DeliveryFilter says which deliveries are wanted. Empty and zero fields want all.
type DeliveryFilter struct {
	State        string
	Endpoint     string
	Call         string
	Event        string
	Since, Until time.Time // when the event was stored: Since inclusive, Until exclusive
	Cursor       string
	Limit        int // deliveries a page
}
