// Package journal keeps what happened on the calls until everybody who must hear of it has heard.
//
// An event enters with Append, which gives it its place: a Position in the journal and a Sequence in its call,
// 1, 2, 3… without holes. The journal owns that counter, so an event that was refused leaves no hole. It is
// serialized once; those bytes are what every attempt sends. Whoever delivers follows the journal with Read and
// reports with Settle, endpoint by endpoint, that a record needs no more attempts.
//
//	call ── Append ──▶ journal ── Read ──▶ delivery
//	                      ▲                   │
//	                      └───── Settle ──────┘
//
// Append is idempotent by event id: who does not know whether an append succeeded repeats it soon with the same
// id and gets the record of the first.
//
// Store keeps everything in one SQLite file, with a log beside it: what Append returned survives a crash and a power
// cut. One goroutine writes; it puts all that waits into one transaction, so that a thousand calls pay for one
// sync. A Store also answers questions: Calls, Events, Search, Deliveries, Attempts. It follows with Since, forgets by age,
// size or request, and copies itself with Backup. One process may have the file open.
//
//	s, err := journal.Open(journal.Options{Path: "journal.db", Endpoints: []string{"main"}})
//	…
//	defer s.Close()
//
// When the disk takes nothing, Append fails with ErrDisk and the event can be offered again; Health says so until a
// transaction succeeds. Bodies, words and numbers are in the file as they are: it is readable by its owner only.
//
// Memory is a journal that lasts as long as the process. It frees a record when all endpoints have settled it,
// and is bounded: when it is full it refuses new events and says so; it never drops one that it took.
//
// All methods may be called concurrently.
package journal
