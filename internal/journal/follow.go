package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"aldeabridge/events"
)

// appended publishes a committed record to readers.
func (s *Store) appended(r events.Record, owed []string, repeated bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if repeated {
		s.stats.Repeated++
		return
	}
	s.last = r.Position
	s.stats.Appended++
	s.stats.Waiting += int64(len(owed))
	if len(owed) > 0 {
		s.recent.push(r, owed)
	}
	if !s.closed {
		close(s.wake)
		s.wake = make(chan struct{})
	}
}

// Read returns up to limit records after position after that are not settled at all endpoints, oldest first, with
// those endpoints in Owed. If there is none it blocks until one is appended or ctx ends; then, or if the journal is
// closed, it returns ctx's error or ErrClosed. A limit below 1 counts as 1. Bodies must not be modified. Only the
// newest records come with a body: Load returns the others'.
func (s *Store) Read(ctx context.Context, after int64, limit int) ([]events.Record, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		s.mu.Lock()
		wake, closed, floor := s.wake, s.closed, s.recent.floor
		var records []events.Record
		if after >= floor {
			records = s.recent.queue.after(after, limit)
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

// backlog reads unsettled records from the database: those after position after, up to position to.
func (s *Store) backlog(ctx context.Context, after, to int64, limit int) (records []events.Record, err error) {
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
	err = s.each(ctx, func(rows *sql.Rows) error {
		var r events.Record
		var endpoint string
		var stored int64
		if err := rows.Scan(&r.Position, &endpoint, &r.ID, &r.CallID, &r.Sequence, &r.Type, &stored); err != nil {
			return err
		}
		if n := len(records); n > 0 && records[n-1].Position == r.Position {
			records[n-1].Owed = append(records[n-1].Owed, endpoint)
			return nil
		}
		if len(records) == limit {
			return errEnough
		}
		r.Stored, r.Owed = time.Unix(0, stored), []string{endpoint}
		records = append(records, r)
		return nil
	}, `SELECT d.position, n.name, e.id, c.id, e.sequence, e.type, e.stored
		FROM deliveries d JOIN endpoints n ON n.key = d.endpoint JOIN events e ON e.position = d.position JOIN calls c ON c.key = e.call
		WHERE d.state = 'waiting' AND d.position > ? AND d.position <= ? AND n.name IN (?`+strings.Repeat(", ?", len(names)-3)+`)
		ORDER BY d.position, d.endpoint`, names...)
	if err != nil {
		return nil, err
	}
	return records, nil
}

// Load returns the record at position with its body. It fails with ErrNoRecord if it is not stored.
func (s *Store) Load(ctx context.Context, position int64) (events.Record, error) {
	s.mu.Lock()
	r, ok := s.recent.queue.at(position)
	s.mu.Unlock()
	if ok {
		return r, nil
	}
	records, err := collect(ctx, s, scanRecord, `SELECT `+recordColumns+fromEvents+` WHERE e.position = ?`, position)
	if err != nil {
		return r, err
	}
	if len(records) == 0 {
		return r, fmt.Errorf("%w: position %d", ErrNoRecord, position)
	}
	return records[0], nil
}
