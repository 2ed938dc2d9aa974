package journal

import (
	"database/sql"
	"errors"
	"time"

	"aldeabridge/events"
)

// A callState is the writer's cached state of a call.
type callState struct {
	key      int64
	sequence int64 // of its last event
	counter  counter
	ended    bool
	routed   bool     // owed is set
	owed     []string // endpoints that get the call's events; must not be modified
}

// An appendOp is an event to be appended.
type appendOp struct {
	event    events.Event
	record   events.Record
	owed     []string
	repeated bool
	err      error // concerns this event only; the transaction goes on without it
	result   chan error
}

func (a *appendOp) apply(w *writer) error {
	a.err, a.repeated = nil, false
	now := time.Now()
	c, err := w.call(a.event.Call.ID)
	if err != nil {
		return err
	}
	if !a.serialize(c.sequence+1, now) {
		return nil // the transaction goes on without it
	}
	if c.key == 0 {
		if err := w.insertCallRow(c, a.event.Call, a.event.Time, now); err != nil {
			return err
		}
	}
	r := &a.record
	r.Position = w.last + 1
	result, err := w.insertEvent.ExecContext(w.ctx, r.Position, r.ID, c.key, r.Sequence, string(r.Type), now.UnixNano(), r.Body, sumOf(r.ID, r.Body))
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		a.repeated = true
		return errors.Join(err, w.find(r))
	}
	w.last, c.sequence = r.Position, r.Sequence
	a.owed = w.route(c, a.event.Call)
	return errors.Join(w.updateStreams(c, a.event.Body), w.insertDeliveries(r, a.owed), w.indexText(r.Position, a.event.Body))
}

// serialize makes the record, without its position.
func (a *appendOp) serialize(sequence int64, now time.Time) bool {
	a.record, a.err = record(a.event, sequence, now)
	return a.err == nil
}

func (a *appendOp) done(w *writer, err error) {
	if err == nil {
		err = a.err
	}
	if err == nil {
		w.store.appended(a.record, a.owed, a.repeated)
	}
	a.result <- err
}

// call returns the state of a call. A new call has no key.
func (w *writer) call(id string) (*callState, error) {
	if c := w.calls[id]; c != nil {
		return c, nil
	}
	c := &callState{}
	err := w.findCall.QueryRowContext(w.ctx, id).Scan(&c.key, &c.counter.streams, &c.ended, &c.sequence)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	w.calls[id] = c
	return c, nil
}

// insertCallRow inserts the row of a call.
func (w *writer) insertCallRow(c *callState, info events.Call, at, now time.Time) error {
	if at.IsZero() {
		at = now
	}
	result, err := w.insertCall.ExecContext(w.ctx, info.ID, info.Carrier, info.From, info.To, string(info.Direction), at.UnixNano())
	if err != nil {
		return err
	}
	c.key, err = result.LastInsertId()
	return err
}

// find reads the record that has the id of r.
func (w *writer) find(r *events.Record) error {
	var stored int64
	if err := w.findEvent.QueryRowContext(w.ctx, r.ID).Scan(&r.Position, &r.CallID, &r.Sequence, &r.Type, &stored, &r.Body); err != nil {
		return err
	}
	r.Stored = time.Unix(0, stored)
	return nil
}

// updateStreams updates the call's row if the event started or ended a stream.
func (w *writer) updateStreams(c *callState, body events.Body) error {
	before := c.counter.streams
	c.counter.countStreams(body.Type())
	end, isEnd := body.(events.CallEnded)
	if c.counter.streams == before && !isEnd {
		return nil
	}
	var ended sql.NullInt64
	if c.counter.streams == 0 {
		ended = sql.NullInt64{Int64: time.Now().UnixNano(), Valid: true}
	}
	_, err := w.updateCall.ExecContext(w.ctx, c.counter.streams, ended, string(end.Reason), end.Duration.Duration().Milliseconds(), c.key)
	return err
}

// route returns the endpoints that get a call's events.
func (w *writer) route(c *callState, info events.Call) []string {
	if !c.routed {
		c.routed, c.owed = true, route(w.store.options.Route, w.store.options.Endpoints, info)
	}
	return c.owed
}

// insertDeliveries adds a waiting delivery of r for each endpoint.
func (w *writer) insertDeliveries(r *events.Record, endpoints []string) error {
	for _, name := range endpoints {
		if _, err := w.insertDelivery.ExecContext(w.ctx, r.Position, w.endpoints[name]); err != nil {
			return err
		}
	}
	return nil
}

// indexText adds the text of an utterance to the full-text index.
func (w *writer) indexText(position int64, body events.Body) error {
	u, ok := body.(events.UtteranceFinal)
	if !ok {
		return nil
	}
	_, err := w.insertSaid.ExecContext(w.ctx, position, u.Utterance.Text)
	return err
}
