package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"aldeabridge/events"
)

const (
	// defaultLimit bounds the unsettled records: 20 events for each of 5000 calls.
	defaultLimit = 100_000
	// maxBytes bounds the total size of the bodies of unsettled records.
	maxBytes = 128 << 20
)

// Stats are the counters of a Memory.
type Stats struct {
	Records int   // unsettled records
	Bytes   int64 // of their bodies
	Calls   int   // calls with a sequence counter

	Appended int64 // events stored
	Repeated int64 // appends of an event that was stored before
	Refused  int64 // appends refused because the journal was full
	Freed    int64 // records settled at every endpoint
}

// A Memory is a journal in memory. Make it with NewMemory. It starts no goroutine.
type Memory struct {
	// Route returns the endpoints that get a call's events, as Options.Route does. It is called in each Append with a
	// lock held. Set it before the first Append.
	Route func(events.Call) []string

	limit     int
	maxBytes  int64
	endpoints []string

	mu     sync.Mutex // guards the fields below
	queue  queue
	index  recordIndex
	calls  calls
	last   int64         // position of the newest record
	wake   chan struct{} // closed and replaced when a record is appended
	closed bool
	stats  Stats
}

// NewMemory returns an empty journal that holds up to limit unsettled records; zero or less means 100,000. A record
// is held until Settle was called for it with each of endpoints, or of those that Route returns. A record without
// endpoints gets a position and is not held: Read does not return it.
func NewMemory(limit int, endpoints ...string) *Memory {
	if limit <= 0 {
		limit = defaultLimit
	}
	endpoints = slices.Clone(endpoints)
	slices.Sort(endpoints)
	return &Memory{
		limit:     limit,
		maxBytes:  maxBytes,
		endpoints: slices.Compact(endpoints),
		index:     newRecordIndex(),
		calls:     newCalls(),
		wake:      make(chan struct{}),
	}
}

// Append stores e and returns its record. An empty ID gets a new one, a zero Time is set to now, and Sequence is
// always set. If the ID was appended before, Append returns the first record; that works for unsettled records and
// for the last 4096 freed ones.
//
// Append fails with ErrNotStored, ErrFull or ErrClosed, or if e cannot be marshaled; then e is not stored. It does
// not block, and it ignores ctx: an event of a canceled call is stored too.
func (m *Memory) Append(ctx context.Context, e events.Event) (events.Record, error) {
	if e.Body == nil || !e.Body.Stored() {
		return events.Record{}, ErrNotStored
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return events.Record{}, ErrClosed
	}
	if r, ok := m.index.find(e.ID); ok {
		m.stats.Repeated++
		return repeated(r, e)
	}
	now := time.Now()
	sequence, ok := m.calls.next(e.Call.ID, now)
	if !ok || m.queue.len() >= m.limit {
		m.stats.Refused++
		return events.Record{}, ErrFull
	}
	r, err := record(e, sequence, now)
	if err != nil {
		return events.Record{}, err
	}
	if m.queue.bytes+int64(len(r.Body)) > m.maxBytes {
		m.stats.Refused++
		return events.Record{}, ErrFull
	}
	m.last++
	r.Position = m.last
	m.calls.took(r, now)
	m.keep(r, route(m.Route, m.endpoints, e.Call))
	m.stats.Appended++
	return r, nil
}

// keep adds a record for endpoints and wakes waiting readers.
func (m *Memory) keep(r events.Record, endpoints []string) {
	m.index.add(r)
	if len(endpoints) == 0 {
		m.index.freed(r.ID)
		m.stats.Freed++
		return
	}
	m.queue.push(r, endpoints)
	close(m.wake)
	m.wake = make(chan struct{})
}

// record makes the record of e, without its position.
func record(e events.Event, sequence int64, now time.Time) (events.Record, error) {
	e.Sequence = sequence
	if e.ID == "" {
		e.ID = events.NewID(now)
	}
	if e.Time.IsZero() {
		e.Time = now
	}
	body, err := e.JSON()
	if err != nil {
		return events.Record{}, fmt.Errorf("journal: append %s: %w", e.Body.Type(), err)
	}
	return events.Record{ID: e.ID, CallID: e.Call.ID, Sequence: sequence, Type: e.Body.Type(), Stored: now, Body: body}, nil
}

// repeated returns the record of an event appended before. If its body was freed, it is serialized again.
func repeated(r events.Record, e events.Event) (events.Record, error) {
	if r.Body != nil {
		return r, nil
	}
	repeated, err := record(e, r.Sequence, r.Stored)
	r.Body = repeated.Body
	return r, err
}

// Read returns up to max unsettled records with a position after after, oldest first. If there is none it blocks
// until one is appended or ctx ends; then, or if the journal is closed, it returns ctx's error or ErrClosed. A max
// below 1 counts as 1. Bodies must not be modified.
func (m *Memory) Read(ctx context.Context, after int64, max int) ([]events.Record, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		m.mu.Lock()
		records, wake, closed := m.queue.after(after, max), m.wake, m.closed
		m.mu.Unlock()
		if closed {
			return nil, ErrClosed
		}
		if len(records) > 0 {
			return records, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
		}
	}
}

// Load returns the unsettled record at position. It fails with ErrNoRecord if there is none.
func (m *Memory) Load(ctx context.Context, position int64) (events.Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.queue.at(position)
	if !ok {
		return r, fmt.Errorf("%w: position %d", ErrNoRecord, position)
	}
	return r, nil
}

// Settle records that the record at position needs no more attempts at endpoint. state is ignored here. Settling
// twice has no effect. It fails with ErrNoEndpoint or ErrNoRecord. Like Append it ignores ctx. It works after Close,
// for attempts that were under way.
func (m *Memory) Settle(ctx context.Context, position int64, endpoint, state string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.endpoints, endpoint) {
		return fmt.Errorf("%w: %q", ErrNoEndpoint, endpoint)
	}
	if position < 1 || position > m.last {
		return fmt.Errorf("%w: position %d", ErrNoRecord, position)
	}
	if id, freed := m.queue.settle(position, endpoint); freed {
		m.index.freed(id)
		m.stats.Freed++
	}
	return nil
}

// Stats returns the counters.
func (m *Memory) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.stats
	s.Records, s.Bytes, s.Calls = m.queue.len(), m.queue.bytes, m.calls.len()
	return s
}

// Close ends every Read, and makes later Reads and Appends fail, with ErrClosed. It returns nil.
func (m *Memory) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.closed {
		m.closed = true
		close(m.wake)
	}
	return nil
}
