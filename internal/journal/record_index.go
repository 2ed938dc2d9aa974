package journal

import "aldeabridge/events"

// freedLimit is the number of freed records kept in the index. A caller asks for one only when it repeats an append
// whose result it did not get, which happens within a second.
const freedLimit = 4096

// A recordIndex finds records by event id: the unsettled ones, and the last freed ones without their bodies.
type recordIndex struct {
	records map[string]events.Record
	// freedIDs is a ring buffer of the ids of freed records. Once it is full, the oldest is at next.
	freedIDs []string
	next     int
	limit    int // capacity of freedIDs
}

func newRecordIndex() recordIndex {
	return recordIndex{records: map[string]events.Record{}, limit: freedLimit}
}

func (k *recordIndex) find(id string) (events.Record, bool) {
	r, ok := k.records[id]
	return r, ok
}

func (k *recordIndex) add(r events.Record) { k.records[r.ID] = r }

// freed drops a record's body at once, and its entry once limit more records were freed.
func (k *recordIndex) freed(id string) {
	r := k.records[id]
	r.Body = nil
	k.records[id] = r
	if len(k.freedIDs) < k.limit {
		k.freedIDs = append(k.freedIDs, id)
		return
	}
	delete(k.records, k.freedIDs[k.next])
	k.freedIDs[k.next] = id
	k.next = (k.next + 1) % k.limit
}
