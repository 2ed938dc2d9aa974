package journal

import "aldeabridge/events"

const (
	// tailRecords is how many of the newest records are kept in memory, bodies and all, for those who follow.
	tailRecords = 4096
	// tailBytes bounds their bodies.
	tailBytes = 8 << 20
)

// A tail holds the newest records that somebody still waits for. What is at or below floor is on the disk only.
type tail struct {
	queue queue
	floor int64
	limit int // of records
}

func newTail(last int64) tail { return tail{floor: last, limit: tailRecords} }

// push adds a record, and lets go of the oldest if there are too many.
func (t *tail) push(r events.Record, endpoints []string) {
	t.queue.push(r, endpoints)
	for t.queue.len() > t.limit || t.queue.bytes > tailBytes && t.queue.len() > 1 {
		t.floor = t.queue.shift()
	}
}

// settle takes an endpoint off a record, if the record is here.
func (t *tail) settle(position int64, endpoint string) {
	if position > t.floor {
		t.queue.settle(position, endpoint)
	}
}
