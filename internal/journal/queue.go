package journal

import (
	"cmp"
	"slices"

	"aldeabridge/events"
)

// A held record waits for endpoints. Once it waits for none its entry holds only the position, until tidy removes it.
type held struct {
	record events.Record
	waits  []string // endpoints that have not settled it
}

// A queue holds unsettled records in the order of their positions. They can be removed in any order.
type queue struct {
	held  []held
	gone  int   // entries of held that wait for no endpoint
	bytes int64 // of the bodies
}

// len returns the number of unsettled records.
func (q *queue) len() int { return len(q.held) - q.gone }

// push adds a record. Its position must be higher than all before.
func (q *queue) push(r events.Record, endpoints []string) {
	q.held = append(q.held, held{record: r, waits: slices.Clone(endpoints)})
	q.bytes += int64(len(r.Body))
}

// find returns the index of the first record at or after position.
func (q *queue) find(position int64) (i int, found bool) {
	return slices.BinarySearchFunc(q.held, position, func(h held, p int64) int { return cmp.Compare(h.record.Position, p) })
}

// after returns up to limit records after position, at least one if there is any.
func (q *queue) after(position int64, limit int) (records []events.Record) {
	i, found := q.find(position)
	if found {
		i++
	}
	for ; i < len(q.held) && len(records) < max(limit, 1); i++ {
		if len(q.held[i].waits) > 0 {
			r := q.held[i].record
			r.Owed = slices.Clone(q.held[i].waits)
			records = append(records, r)
		}
	}
	return records
}

// at returns the unsettled record at position.
func (q *queue) at(position int64) (events.Record, bool) {
	i, found := q.find(position)
	if !found || len(q.held[i].waits) == 0 {
		return events.Record{}, false
	}
	return q.held[i].record, true
}

// shift removes the oldest unsettled record, which must exist, and returns its position.
func (q *queue) shift() (position int64) {
	i := slices.IndexFunc(q.held, func(h held) bool { return len(h.waits) > 0 })
	position = q.held[i].record.Position
	q.bytes -= int64(len(q.held[i].record.Body))
	clear(q.held[:i+1])
	q.held = q.held[i+1:]
	q.gone -= i
	return position
}

// settle removes an endpoint from a record, and returns the record's id if it was the last endpoint.
func (q *queue) settle(position int64, endpoint string) (id string, freed bool) {
	i, found := q.find(position)
	if !found {
		return "", false
	}
	h := &q.held[i]
	k := slices.Index(h.waits, endpoint)
	if k < 0 {
		return "", false
	}
	if h.waits = slices.Delete(h.waits, k, k+1); len(h.waits) > 0 {
		return "", false
	}
	id = h.record.ID
	q.bytes -= int64(len(h.record.Body))
	h.record = events.Record{Position: position}
	q.gone++
	q.tidy()
	return id, true
}

// tidy removes settled entries when they are more than half. Otherwise one old unsettled record would keep the
// entries of all later ones.
func (q *queue) tidy() {
	if q.gone*2 <= len(q.held) {
		return
	}
	q.held = slices.DeleteFunc(q.held, func(h held) bool { return len(h.waits) == 0 })
	q.gone = 0
}
