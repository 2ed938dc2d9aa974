// Package journal keeps what happened on the calls until everybody who must hear of it has heard.
//
// An event enters with Append, which gives it its place: a Position in the journal and a Sequence in its call,
// 1, 2, 3… without holes. The journal owns that counter, so an event that was refused leaves no hole. It is
// serialised once; those bytes are what every attempt sends. Whoever delivers follows the journal with Read and
// reports with Settle, endpoint by endpoint, that a record needs no more attempts.
//
//	call ── Append ──▶ journal ── Read ──▶ delivery
//	                      ▲                   │
//	                      └───── Settle ──────┘
//
// Append is idempotent by event id: who does not know whether an append succeeded repeats it soon with the same
// id and gets the record of the first.
//
// Memory is a journal that lasts as long as the process. It frees a record when all endpoints have settled it,
// and is bounded: when it is full it refuses new events and says so; it never drops one that it took.
//
// All methods may be called concurrently.
package journal
