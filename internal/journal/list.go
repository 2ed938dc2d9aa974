package journal

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"aldeabridge/events"
)

// A CallState is the state of a call.
type CallState string

// The states of a call.
const (
	CallUp    CallState = "up"    // it goes on
	CallEnded CallState = "ended" // its end is in the journal
	CallLost  CallState = "lost"  // the process ended before the call did
)

// A Call is the stored summary of a call.
type Call struct {
	ID         string
	Carrier    string
	From, To   string
	Direction  events.Direction
	State      CallState
	Started    time.Time
	Ended      time.Time        // zero until it has ended
	Reason     events.EndReason // why its last stream ended
	Duration   time.Duration    // from its start to the end of its last stream
	Events     int
	Utterances int
	Waiting    int // deliveries that are not settled
	Dead       int // dead deliveries
}

// A CallFilter selects calls. Its zero value selects all.
type CallFilter struct {
	From, To time.Time // bounds of the start: From inclusive, To exclusive; zero is no bound
	Number   string    // caller or called number
	State    CallState
	Cursor   string // returned with the previous page
	Limit    int    // calls per page, at most 1000; zero means 50
}

// callColumns are the columns that scanCall reads.
const callColumns = `c.id, c.carrier, c.from_number, c.to_number, c.direction, c.started, c.ended, c.streams, c.reason, c.duration_ms, c.key,
	(SELECT count(*) FROM events e WHERE e.call = c.key),
	(SELECT count(*) FROM events e WHERE e.call = c.key AND e.type = 'utterance.final'),
	(SELECT count(*) FROM events e JOIN deliveries d ON d.position = e.position WHERE e.call = c.key AND d.state = 'waiting'),
	(SELECT count(*) FROM events e JOIN deliveries d ON d.position = e.position WHERE e.call = c.key AND d.state = 'dead')`

// A keyedCall is a call with the key of its row.
type keyedCall struct {
	Call
	key int64
}

func scanCall(rows *sql.Rows) (c keyedCall, err error) {
	var started, streams, duration int64
	var ended sql.NullInt64
	err = rows.Scan(&c.ID, &c.Carrier, &c.From, &c.To, &c.Direction, &started, &ended, &streams, &c.Reason, &duration, &c.key,
		&c.Events, &c.Utterances, &c.Waiting, &c.Dead)
	c.Started, c.Duration = time.Unix(0, started), time.Duration(duration)*time.Millisecond
	switch {
	case streams > 0:
		c.State = CallUp
	case ended.Valid:
		c.State, c.Ended = CallEnded, time.Unix(0, ended.Int64)
	default:
		c.State = CallLost
	}
	return c, err
}

// Calls returns a page of calls, newest first, and the cursor of the next page, empty after the last.
func (s *Store) Calls(ctx context.Context, f CallFilter) (calls []Call, next string, err error) {
	var w where
	w.between("c.started", f.From, f.To)
	if f.Number != "" {
		w.add("(c.from_number = ? OR c.to_number = ?)", f.Number, f.Number)
	}
	switch f.State {
	case CallUp:
		w.add("c.streams > 0")
	case CallEnded:
		w.add("c.streams = 0 AND c.ended IS NOT NULL")
	case CallLost:
		w.add("c.streams = 0 AND c.ended IS NULL")
	case "":
	default:
		return nil, "", fmt.Errorf("journal: no such state of a call: %q", f.State)
	}
	if f.Cursor != "" {
		started, key, err := parseCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		w.add("(c.started, c.key) < (?, ?)", started, key)
	}
	limit := page(f.Limit)
	// The counts are expensive: they are computed for the calls of this page only.
	rows, err := collect(ctx, s, scanCall, `SELECT `+callColumns+` FROM (SELECT * FROM calls c`+w.String()+
		` ORDER BY c.started DESC, c.key DESC LIMIT ?) c ORDER BY c.started DESC, c.key DESC`, append(w.args, limit+1)...)
	if len(rows) > limit {
		last := rows[limit-1]
		rows, next = rows[:limit], cursor(last.Started.UnixNano(), last.key)
	}
	for _, c := range rows {
		calls = append(calls, c.Call)
	}
	return calls, next, err
}

// Call returns one call. It fails with ErrNoCall.
func (s *Store) Call(ctx context.Context, id string) (Call, error) {
	calls, err := collect(ctx, s, scanCall, `SELECT `+callColumns+` FROM calls c WHERE c.id = ?`, id)
	if err != nil {
		return Call{}, err
	}
	if len(calls) == 0 {
		return Call{}, ErrNoCall
	}
	return calls[0].Call, nil
}

// Events returns up to limit events of a call with a sequence after after, in order; a limit below 1 means 1000. It
// returns none for an unknown call.
func (s *Store) Events(ctx context.Context, callID string, after int64, limit int) ([]events.Record, error) {
	if limit < 1 {
		limit = maxPage
	}
	return collect(ctx, s, scanRecord, `SELECT `+recordColumns+fromEvents+
		` WHERE c.id = ? AND e.sequence > ? ORDER BY e.sequence LIMIT ?`, callID, after, limit)
}

// Since returns up to limit records after position after, oldest first, settled or not, with their bodies. If there
// is none it blocks until one is appended, ctx ends or the journal is closed, as Read does.
func (s *Store) Since(ctx context.Context, after int64, limit int) ([]events.Record, error) {
	for {
		s.mu.Lock()
		wake, closed, last := s.wake, s.closed, s.last
		s.mu.Unlock()
		if closed {
			return nil, ErrClosed
		}
		if after < last {
			records, err := collect(ctx, s, scanRecord, `SELECT `+recordColumns+fromEvents+
				` WHERE e.position > ? ORDER BY e.position LIMIT ?`, after, max(limit, 1))
			if err != nil || len(records) > 0 {
				return records, err
			}
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Last returns the position of the newest record.
func (s *Store) Last() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last
}
