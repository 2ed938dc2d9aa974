package journal

import "aldeabridge/events"

// freedLimit is how many records are known after they were freed. Only a call that does not know whether its append
// succeeded asks for one, and it asks again within a second. A memory of an hour would be of no use to anybody.
const freedLimit = 4096

// known finds records by event id: those that are held, and the last ones freed, without their bodies.
type known struct {
	records map[string]events.Record
	// freedIDs is a ring of the ids of records that are no longer held, the oldest at next once it is full.
	freedIDs []string
	next     int
	limit    int // how many freed ones are remembered
}

func newKnown() known {
	return known{records: map[string]events.Record{}, limit: freedLimit}
}

// find returns the record of an event id.
func (k *known) find(id string) (events.Record, bool) {
	r, ok := k.records[id]
	return r, ok
}

// add remembers a record.
func (k *known) add(r events.Record) { k.records[r.ID] = r }

// freed lets go of a record's body now, and of the rest when enough others have been freed.
func (k *known) freed(id string) {
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
