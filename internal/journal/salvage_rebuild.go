package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"aldeabridge/events"
)

const (
	// positionGap is how far positions jump in a repaired journal: those of events that left no trace at all
	// must not come again.
	positionGap = 1 << 20
	// sequenceGap is how far the sequence of a call jumps that was up: its last events may have been delivered and be lost
	// here, and a receiver takes a number that it knows for a repeat.
	sequenceGap = 100
)

// mend makes a whole of what was carried.
func (c *carrier) mend(ctx context.Context) error {
	for _, do := range []func(context.Context) error{
		c.rebuildCalls, c.nameEndpoints, c.countLost, c.dropOrphans, c.oweKnown, c.oweUntold, c.leaveGaps, c.countRest,
	} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// countLost counts the events of which there is a trace only.
func (c *carrier) countLost(ctx context.Context) error {
	return c.count(ctx, &c.report.Lost, `SELECT count(*) FROM temp.trace t WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.position = t.position)`)
}

// dropOrphans deletes what belongs to nothing that was carried.
func (c *carrier) dropOrphans(ctx context.Context) error {
	return errors.Join(
		c.exec(ctx, `DELETE FROM deliveries WHERE position NOT IN (SELECT position FROM events) OR endpoint NOT IN (SELECT key FROM endpoints)`),
		c.exec(ctx, `DELETE FROM attempts WHERE event NOT IN (SELECT id FROM events)`))
}

// leaveGaps sees to it that no position and no sequence is given twice. No call is up.
func (c *carrier) leaveGaps(ctx context.Context) error {
	return errors.Join(
		c.exec(ctx, `UPDATE calls SET floor = max(floor, t.last) FROM (SELECT call, max(sequence) last FROM temp.trace GROUP BY call) t WHERE t.call = calls.key`),
		c.exec(ctx, `UPDATE calls SET floor = max(floor, coalesce((SELECT max(sequence) FROM events e WHERE e.call = calls.key), 0)) + ?, streams = 0 WHERE streams > 0`, sequenceGap),
		c.exec(ctx, `UPDATE retired SET position = ?`, max(c.last+positionGap, time.Now().UnixMilli())))
}

func (c *carrier) countRest(ctx context.Context) error {
	return errors.Join(
		c.count(ctx, &c.report.Calls, `SELECT count(*) FROM calls`),
		c.count(ctx, &c.report.Waiting, `SELECT count(*) FROM deliveries WHERE state = 'waiting'`))
}

func (c *carrier) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.conn.ExecContext(ctx, query, args...)
	return err
}

func (c *carrier) count(ctx context.Context, to *int64, query string) error {
	return c.conn.QueryRowContext(ctx, query).Scan(to)
}

// each calls do with every row of a query.
func (c *carrier) each(ctx context.Context, do func(*sql.Rows) error, query string) error {
	rows, err := c.conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	for rows.Next() {
		if err := do(rows); err != nil {
			return errors.Join(err, rows.Close())
		}
	}
	return errors.Join(rows.Err(), rows.Close())
}

// rebuildCalls makes the rows of calls of which only events are left.
func (c *carrier) rebuildCalls(ctx context.Context) error {
	var lost [][]any
	err := c.each(ctx, func(rows *sql.Rows) error {
		var key, streams, position, stored int64
		var body []byte
		var over bool
		if err := rows.Scan(&key, &body, &position, &over, &stored); err != nil {
			return err
		}
		var e events.Event
		if err := json.Unmarshal(body, &e); err != nil && !errors.Is(err, events.ErrUnknownType) {
			c.report.Unreadable++
		}
		if !over {
			streams = 1 // it may have been up
		}
		lost = append(lost, []any{
			key, c.callIDs[key], e.Call.Carrier, e.Call.From, e.Call.To, string(e.Call.Direction), e.Time.UnixNano(),
			sql.NullInt64{Int64: stored, Valid: over}, streams, "", 0, 0,
		})
		return nil
	}, `SELECT call, body, max(position), max(type = 'call.ended'), max(stored) FROM events WHERE call NOT IN (SELECT key FROM calls) GROUP BY call`)
	for _, row := range lost {
		err = errors.Join(err, insert(ctx, c.call, row...))
	}
	return err
}

// nameEndpoints finds the names of the endpoints whose deliveries were carried.
func (c *carrier) nameEndpoints(ctx context.Context) error {
	names := c.names[c.root]
	if len(names) == 0 { // the damaged file does not say where they are: where they are in every journal
		var root int64
		if err := c.count(ctx, &root, `SELECT rootpage FROM sqlite_schema WHERE name = 'endpoints'`); err != nil {
			return err
		}
		names = c.names[uint32(root)]
	}
	c.named = len(names) > 0
	for key, name := range names {
		if err := c.exec(ctx, `INSERT OR IGNORE INTO endpoints (key, name) VALUES (?, ?)`, key, name); err != nil {
			return err
		}
	}
	var unnamed, key int64
	err := c.conn.QueryRowContext(ctx, `SELECT count(DISTINCT endpoint), coalesce(max(endpoint), 0) FROM deliveries WHERE endpoint NOT IN (SELECT key FROM endpoints)`).Scan(&unnamed, &key)
	if err != nil || unnamed != 1 || len(c.options.Endpoints) != 1 {
		return err // several: who of them is who cannot be said, and events are owed again
	}
	return c.exec(ctx, `INSERT OR IGNORE INTO endpoints (key, name) VALUES (?, ?)`, key, c.options.Endpoints[0])
}

// oweKnown makes deliveries wait of which nobody knows any more whether they were made, to the endpoints that heard of
// other events of the call.
func (c *carrier) oweKnown(ctx context.Context) error {
	return c.owe(ctx, `WITH owes AS (SELECT DISTINCT e.call, d.endpoint FROM deliveries d JOIN events e ON e.position = d.position)
		INSERT OR IGNORE INTO deliveries (position, endpoint, state) SELECT e.position, o.endpoint, 'waiting' FROM events e JOIN owes o ON o.call = e.call`)
}

// oweUntold does the same for calls of which no delivery is left: to those that would hear of the call today, and heard
// of others at its time.
func (c *carrier) oweUntold(ctx context.Context) error {
	if len(c.options.Endpoints) == 0 {
		return nil
	}
	since := map[string]int64{} // the oldest event that an endpoint heard of
	err := c.each(ctx, func(rows *sql.Rows) error {
		var name string
		var position int64
		err := rows.Scan(&name, &position)
		since[name] = position
		return err
	}, `SELECT n.name, coalesce((SELECT min(position) FROM deliveries d WHERE d.endpoint = n.key), 0) FROM endpoints n`)
	if err != nil {
		return err
	}
	untold := map[int64]events.Call{}
	err = c.each(ctx, func(rows *sql.Rows) error {
		var key int64
		var i events.Call
		err := rows.Scan(&key, &i.ID, &i.Carrier, &i.From, &i.To, &i.Direction)
		untold[key] = i
		return err
	}, `SELECT key, id, carrier, from_number, to_number, direction FROM calls
		WHERE key NOT IN (SELECT e.call FROM deliveries d JOIN events e ON e.position = d.position)`)
	if err != nil {
		return err
	}
	for key, call := range untold {
		for _, name := range route(c.options.Route, c.options.Endpoints, call) {
			from, known := since[name]
			if !known && c.named {
				continue // it is new: it is not owed the past
			}
			err := errors.Join(
				c.exec(ctx, `INSERT INTO endpoints (name) VALUES (?) ON CONFLICT DO NOTHING`, name),
				c.owe(ctx, `INSERT OR IGNORE INTO deliveries (position, endpoint, state)
					SELECT e.position, n.key, 'waiting' FROM events e, endpoints n WHERE n.name = ?1 AND e.call = ?2 AND e.position >= ?3`, name, key, from))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// owe runs a statement that makes deliveries wait, and counts them.
func (c *carrier) owe(ctx context.Context, query string, args ...any) error {
	result, err := c.conn.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	c.report.Repeated += n
	return err
}
