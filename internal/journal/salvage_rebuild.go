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
	// positionGap is added to the last position of a repaired journal, so that positions of lost events are not used
	// again.
	positionGap = 1 << 20
	// sequenceGap is added to the sequence of a call that was up. Its last events may have been delivered and lost
	// here, and receivers ignore a sequence that they have seen.
	sequenceGap = 100
)

// rebuild completes the copied rows to a consistent journal.
func (c *salvager) rebuild(ctx context.Context) error {
	for _, do := range []func(context.Context) error{
		c.rebuildCalls, c.nameEndpoints, c.countLost, c.deleteOrphans, c.requeueUnknown, c.requeueUnrouted, c.skipNumbers, c.countRest,
	} {
		if err := do(ctx); err != nil {
			return err
		}
	}
	return nil
}

// countLost counts the events that left only a trace.
func (c *salvager) countLost(ctx context.Context) error {
	return c.count(ctx, &c.report.Lost, `SELECT count(*) FROM temp.trace t WHERE NOT EXISTS (SELECT 1 FROM events e WHERE e.position = t.position)`)
}

// deleteOrphans deletes rows that refer to rows that were lost.
func (c *salvager) deleteOrphans(ctx context.Context) error {
	return errors.Join(
		c.exec(ctx, `DELETE FROM deliveries WHERE position NOT IN (SELECT position FROM events) OR endpoint NOT IN (SELECT key FROM endpoints)`),
		c.exec(ctx, `DELETE FROM attempts WHERE event NOT IN (SELECT id FROM events)`))
}

// skipNumbers makes sure that no position or sequence is used twice, and marks all calls as ended.
func (c *salvager) skipNumbers(ctx context.Context) error {
	return errors.Join(
		c.exec(ctx, `UPDATE calls SET floor = max(floor, t.last) FROM (SELECT call, max(sequence) last FROM temp.trace GROUP BY call) t WHERE t.call = calls.key`),
		c.exec(ctx, `UPDATE calls SET floor = max(floor, coalesce((SELECT max(sequence) FROM events e WHERE e.call = calls.key), 0)) + ?, streams = 0 WHERE streams > 0`, sequenceGap),
		c.exec(ctx, `UPDATE retired SET position = ?`, max(c.last+positionGap, time.Now().UnixMilli())))
}

func (c *salvager) countRest(ctx context.Context) error {
	return errors.Join(
		c.count(ctx, &c.report.Calls, `SELECT count(*) FROM calls`),
		c.count(ctx, &c.report.Waiting, `SELECT count(*) FROM deliveries WHERE state = 'waiting'`))
}

func (c *salvager) exec(ctx context.Context, query string, args ...any) error {
	_, err := c.conn.ExecContext(ctx, query, args...)
	return err
}

func (c *salvager) count(ctx context.Context, to *int64, query string) error {
	return c.conn.QueryRowContext(ctx, query).Scan(to)
}

// each calls do with every row of a query.
func (c *salvager) each(ctx context.Context, do func(*sql.Rows) error, query string) error {
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
func (c *salvager) rebuildCalls(ctx context.Context) error {
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

// nameEndpoints restores the names of the endpoints.
func (c *salvager) nameEndpoints(ctx context.Context) error {
	names := c.names[c.root]
	if len(names) == 0 { // the schema is lost: use the root page of a new journal
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
		return err // several: they cannot be told apart, and their deliveries are queued again
	}
	return c.exec(ctx, `INSERT OR IGNORE INTO endpoints (key, name) VALUES (?, ?)`, key, c.options.Endpoints[0])
}

// requeueUnknown queues deliveries whose outcome was lost, for the endpoints that have other deliveries of the call.
func (c *salvager) requeueUnknown(ctx context.Context) error {
	return c.requeue(ctx, `WITH owes AS (SELECT DISTINCT e.call, d.endpoint FROM deliveries d JOIN events e ON e.position = d.position)
		INSERT OR IGNORE INTO deliveries (position, endpoint, state) SELECT e.position, o.endpoint, 'waiting' FROM events e JOIN owes o ON o.call = e.call`)
}

// requeueUnrouted does the same for calls without any delivery left, for the endpoints that Route returns today and
// that existed at the time of the call.
func (c *salvager) requeueUnrouted(ctx context.Context) error {
	if len(c.options.Endpoints) == 0 {
		return nil
	}
	since := map[string]int64{} // position of the oldest event of each endpoint
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
				continue // a new endpoint does not get old events
			}
			err := errors.Join(
				c.exec(ctx, `INSERT INTO endpoints (name) VALUES (?) ON CONFLICT DO NOTHING`, name),
				c.requeue(ctx, `INSERT OR IGNORE INTO deliveries (position, endpoint, state)
					SELECT e.position, n.key, 'waiting' FROM events e, endpoints n WHERE n.name = ?1 AND e.call = ?2 AND e.position >= ?3`, name, key, from))
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// requeue executes a statement that inserts waiting deliveries, and counts them.
func (c *salvager) requeue(ctx context.Context, query string, args ...any) error {
	result, err := c.conn.ExecContext(ctx, query, args...)
	if err != nil {
		return err
	}
	n, err := result.RowsAffected()
	c.report.Repeated += n
	return err
}
