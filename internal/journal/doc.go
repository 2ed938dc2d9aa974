// Package journal stores the events of calls, and which of them each endpoint still has to get.
//
// Append gives an event a Position in the journal and a Sequence in its call: 1, 2, 3… without holes. The journal
// owns that counter, so a refused event leaves no hole. An event is serialized once, and every delivery attempt sends
// those bytes. The package that delivers reads records with Read, and reports with Settle, for each endpoint, that a
// record needs no more attempts.
//
//	call ── Append ──▶ journal ── Read ──▶ delivery
//	                      ▲                   │
//	                      └───── Settle ──────┘
//
// Append is idempotent by event id: a caller that does not know whether an append succeeded repeats it with the same
// id and gets the first record.
//
// Store keeps everything in one SQLite database with a write-ahead log (WAL). What Append returned survives a crash
// and a power cut. One goroutine writes; it puts all queued operations into one transaction, so that a thousand calls
// share one sync. A Store also has queries: Calls, Events, Search, Deliveries, Attempts. Since follows new records.
// Calls are deleted by age, size or request, and Backup copies the database. Only one process can have the file open.
//
//	s, err := journal.Open(journal.Options{Path: "journal.db", Endpoints: []string{"main"}})
//	…
//	defer s.Close()
//
// When a write to the disk fails, Append returns ErrDisk and the event can be appended again; Health reports the
// error until a transaction succeeds. Bodies, transcripts and phone numbers are not encrypted: only the file's owner
// can read it.
//
// Memory is a journal in memory. It frees a record when all endpoints have settled it. It is bounded: when it is
// full, Append fails with ErrFull. It never drops a record that it accepted.
//
// All methods may be called concurrently. Store.mu guards the in-memory state and is the only mutex; it is not held
// during SQL statements.
package journal
