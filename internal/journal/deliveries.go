package journal

import (
	"context"
	"database/sql"
	"time"

	"aldeabridge/events"
)

// A Delivery is the state of one event at one endpoint.
type Delivery struct {
	Position int64
	EventID  string
	CallID   string
	Sequence int64
	Type     events.Type
	Stored   time.Time
	Endpoint string
	State    string    // waiting, delivered, filtered or dead
	Reason   string    // of a dead delivery
	Settled  time.Time // zero while it waits
	Attempts int       // number of logged attempts
}

// A DeliveryFilter selects deliveries. Its zero value selects all.
type DeliveryFilter struct {
	State    string
	Endpoint string
	CallID   string
	EventID  string
	From, To time.Time // when the event was stored: From inclusive, To exclusive; zero is no bound
	Cursor   string    // returned with the previous page
	Limit    int       // deliveries per page, at most 1000; zero means 50
}

// where returns the filter as SQL conditions. States with a partial index are literals, because SQLite does not use
// such an index for a parameter.
func (f DeliveryFilter) where() *where {
	w := &where{}
	switch f.State {
	case "":
	case "waiting", "dead":
		w.add("d.state = '" + f.State + "'")
	default:
		w.add("d.state = ?", f.State)
	}
	if f.Endpoint != "" {
		w.add("n.name = ?", f.Endpoint)
	}
	if f.CallID != "" {
		w.add("c.id = ?", f.CallID)
	}
	if f.EventID != "" {
		w.add("e.id = ?", f.EventID)
	}
	w.between("e.stored", f.From, f.To)
	return w
}

// fromDeliveries is the FROM clause of queries for deliveries.
const fromDeliveries = ` FROM deliveries d JOIN endpoints n ON n.key = d.endpoint JOIN events e ON e.position = d.position JOIN calls c ON c.key = e.call`

// Deliveries returns a page of deliveries, newest event first, and the cursor of the next page, empty after the last.
func (s *Store) Deliveries(ctx context.Context, f DeliveryFilter) (deliveries []Delivery, next string, err error) {
	w := f.where()
	if f.Cursor != "" {
		position, endpoint, err := parseCursor(f.Cursor)
		if err != nil {
			return nil, "", err
		}
		w.add("(d.position, d.endpoint) < (?, ?)", position, endpoint)
	}
	type keyed struct {
		Delivery
		endpoint int64
	}
	scan := func(rows *sql.Rows) (k keyed, err error) {
		var stored, settled int64
		err = rows.Scan(&k.Position, &k.EventID, &k.CallID, &k.Sequence, &k.Type, &stored, &k.Endpoint, &k.endpoint, &k.State, &k.Reason, &settled, &k.Attempts)
		if k.Stored = time.Unix(0, stored); settled != 0 {
			k.Settled = time.Unix(0, settled)
		}
		return k, err
	}
	limit := page(f.Limit)
	rows, err := collect(ctx, s, scan, `SELECT d.position, e.id, c.id, e.sequence, e.type, e.stored, n.name, n.key, d.state, d.reason, d.settled,
		(SELECT count(*) FROM attempts a WHERE a.event = e.id AND a.endpoint = n.name)`+fromDeliveries+w.String()+
		` ORDER BY d.position DESC, d.endpoint DESC LIMIT ?`, append(w.args, limit+1)...)
	if len(rows) > limit {
		rows, next = rows[:limit], cursor(rows[limit-1].Position, rows[limit-1].endpoint)
	}
	for _, k := range rows {
		deliveries = append(deliveries, k.Delivery)
	}
	return deliveries, next, err
}

// Deliverable returns up to limit records after position after whose deliveries match f, oldest first, with their
// bodies, for a redelivery. f.Endpoint and f.State are required; f.Cursor and f.Limit are ignored.
func (s *Store) Deliverable(ctx context.Context, f DeliveryFilter, after int64, limit int) ([]events.Record, error) {
	w := f.where()
	w.add("d.position > ?", after)
	return collect(ctx, s, scanRecord, `SELECT `+recordColumns+fromDeliveries+w.String()+
		` ORDER BY d.position LIMIT ?`, append(w.args, page(limit))...)
}
