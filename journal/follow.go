package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"aldeabridge/events"
)

// appended makes a committed record known to those who follow.
func (s *Store) appended(r events.Record, repeated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repeated {
		s.stats.Repeated++
		return
	}
	s.last = r.Position
	s.stats.Appended++
	s.stats.Waiting += int64(len(s.options.Endpoints))
	if len(s.options.Endpoints) > 0 {
		s.tail.push(r, s.options.Endpoints)
	} else {
		s.tail.floor = r.Position
	}
	if !s.closed {
		close(s.wake)
		s.wake = make(chan struct{})
	}
}

// Read returns up to max records after position after that some endpoint has not settled, oldest first, and who it
// is (Owed). If there is none it waits for one until ctx ends; then, or if the journal is closed, it returns ctx's
// error or ErrClosed. A max below 1 counts as 1. Nobody may change the bodies. Records that are not among the
// newest come without a body: Load them when it is needed.
func (s *Store) Read(ctx context.Context, after int64, limit int) ([]events.Record, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		wake, closed, floor := s.wake, s.closed, s.tail.floor
		var records []events.Record
		if after >= floor {
			records = s.tail.queue.after(after, limit)
		}
		s.mu.Unlock()
		if closed {
			return nil, ErrClosed
		}
		if after < floor {
			var err error
			if records, err = s.backlog(ctx, after, floor, max(limit, 1)); err != nil {
				return nil, err
			}
			if len(records) == 0 {
				after = floor
				continue
			}
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

// backlog reads unsettled records after after up to position to, as the disk has them.
func (s *Store) backlog(ctx context.Context, after, to int64, limit int) ([]events.Record, error) {
	if len(s.options.Endpoints) == 0 {
		return nil, nil
	}
	if err := s.flush(ctx); err != nil {
		return nil, err
	}
	names := make([]any, 0, len(s.options.Endpoints)+2)
	names = append(names, after, to)
	for _, name := range s.options.Endpoints {
		names = append(names, name)
	}
	rows, err := s.read.QueryContext(ctx, `SELECT d.position, n.name, e.id, c.id, e.sequence, e.type, e.stored
		FROM deliveries d JOIN endpoints n ON n.key = d.endpoint JOIN events e ON e.position = d.position JOIN calls c ON c.key = e.call
		WHERE d.state = 'waiting' AND d.position > ? AND d.position <= ? AND n.name IN (?`+strings.Repeat(", ?", len(names)-3)+`)
		ORDER BY d.position, d.endpoint`, names...)
	if err != nil {
		return nil, explain("read", err)
	}
	defer rows.Close()
	var records []events.Record
	for rows.Next() {
		var r events.Record
		var endpoint string
		var stored int64
		if err := rows.Scan(&r.Position, &endpoint, &r.ID, &r.CallID, &r.Sequence, &r.Type, &stored); err != nil {
			return nil, explain("read", err)
		}
		if n := len(records); n > 0 && records[n-1].Position == r.Position {
			records[n-1].Owed = append(records[n-1].Owed, endpoint)
			continue
		}
		if len(records) == limit {
			break
		}
		r.Stored, r.Owed = time.Unix(0, stored), []string{endpoint}
		records = append(records, r)
	}
	if err := rows.Err(); err != nil {
		return nil, explain("read", err)
	}
	return records, nil
}

// Load returns the record at position with its body. It fails with ErrNoRecord if none is kept.
func (s *Store) Load(ctx context.Context, position int64) (events.Record, error) {
	s.mu.Lock()
	r, ok := s.tail.queue.at(position)
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	var stored int64
	err := s.read.QueryRowContext(ctx, `SELECT e.position, e.id, c.id, e.sequence, e.type, e.stored, e.body
		FROM events e JOIN calls c ON c.key = e.call WHERE e.position = ?`, position).
		Scan(&r.Position, &r.ID, &r.CallID, &r.Sequence, &r.Type, &stored, &r.Body)
	if errors.Is(err, sql.ErrNoRows) {
		return r, fmt.Errorf("%w: position %d", ErrNoRecord, position)
	}
	if err != nil {
		return r, explain("load", err)
	}
	r.Stored = time.Unix(0, stored)
	return r, nil
}

// A job is any other work for the writer. Somebody waits for it.
type job struct {
	do     func(w *writer) error
	result chan error
}

func (j *job) apply(w *writer) error {
	if j.do == nil {
		return nil
	}
	return j.do(w)
}

func (j *job) done(_ *writer, err error) { j.result <- err }

// change does something in a transaction and waits for its commit.
func (s *Store) change(ctx context.Context, do func(w *writer) error) error {
	j := &job{do: do, result: make(chan error, 1)}
	if err := s.submit(ctx, j); err != nil {
		return err
	}
	return s.await(ctx, j.result)
}

// flush returns when everything deferred before is committed, or the disk does not take it.
func (s *Store) flush(ctx context.Context) error {
	s.mu.Lock()
	n := len(s.later)
	s.mu.Unlock()
	for range 1 + n/maxLater { // at least one, for those that the writer has already taken
		if err := s.change(ctx, nil); err != nil && !errors.Is(err, ErrDisk) {
			return err
		}
	}
	return nil
}
