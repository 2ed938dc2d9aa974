package journal

import "aldeabridge/events"

const (
	// maxRecentRecords is the number of newest records kept in memory, with bodies, for readers that are up to date.
	maxRecentRecords = 4096
	// maxRecentBytes bounds the size of their bodies.
	maxRecentBytes = 8 << 20
)

// recentRecords holds the newest unsettled records. Those at or below floor are only in the database.
type recentRecords struct {
	queue queue
	floor int64
	limit int // maximum number of records
}

func newRecentRecords(last int64) recentRecords {
	return recentRecords{floor: last, limit: maxRecentRecords}
}

// push adds a record, and drops the oldest ones beyond the limits.
func (t *recentRecords) push(r events.Record, endpoints []string) {
	t.queue.push(r, endpoints)
	for t.queue.len() > t.limit || t.queue.bytes > maxRecentBytes && t.queue.len() > 1 {
		t.floor = t.queue.shift()
	}
}

// settle removes an endpoint from a record, if the record is held.
func (t *recentRecords) settle(position int64, endpoint string) {
	if position > t.floor {
		t.queue.settle(position, endpoint)
	}
}
