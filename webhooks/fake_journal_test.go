package webhooks

import (
	"context"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"aldeabridge/events"
)

// fakeJournal is a minimal journal in memory.
type fakeJournal struct {
	mu        sync.Mutex
	records   []events.Record
	sequences map[string]int64 // by call
	stride    int64            // distance between positions, from 0
	states    map[string]string
	grown     chan struct{}

	pad      string          // filler in the bodies
	owed     []string        // the Owed of all records read
	bodiless bool            // Read returns records without bodies
	loadErr  map[int64]error // by position
}

// errGone is the error of Load for a deleted record.
var errGone = fs.ErrNotExist

// set changes the journal's behavior under its lock.
func (j *fakeJournal) set(change func(j *fakeJournal)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(j)
}

// dead is the Next of a redelivery of all dead events of main.
func (j *fakeJournal) dead(_ context.Context, after int64, most int) (found []events.Record, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if len(found) < most && r.Position > after && strings.HasPrefix(j.states[fmt.Sprintf("main %d", r.Position)], deadPrefix) {
			found = append(found, r)
		}
	}
	return found, nil
}

// count counts the deliveries in a state.
func (j *fakeJournal) count(state string) (n int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.states {
		if s == state {
			n++
		}
	}
	return n
}

func newFakeJournal() *fakeJournal {
	return &fakeJournal{states: make(map[string]string), sequences: make(map[string]int64), grown: make(chan struct{}), stride: 1}
}

func (j *fakeJournal) Read(ctx context.Context, after int64, most int) ([]events.Record, error) {
	for {
		j.mu.Lock()
		tail, grown := j.records[min(int(after/j.stride), len(j.records)):], j.grown
		owed, bodiless := j.owed, j.bodiless
		j.mu.Unlock()
		if len(tail) > 0 {
			tail = slices.Clone(tail[:min(len(tail), most)])
			for i := range tail {
				if tail[i].Owed = owed; bodiless {
					tail[i].Body = nil
				}
			}
			return tail, nil
		}
		select {
		case <-grown:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (j *fakeJournal) Load(_ context.Context, position int64) (events.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.loadErr[position]; err != nil {
		return events.Record{}, err
	}
	for _, r := range j.records {
		if r.Position == position {
			return r, nil
		}
	}
	return events.Record{}, fs.ErrNotExist
}

func (j *fakeJournal) Settle(_ context.Context, position int64, endpoint, state string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	key := fmt.Sprintf("%s %d", endpoint, position)
	if old, twice := j.states[key]; twice && !strings.HasPrefix(old, deadPrefix) {
		return fmt.Errorf("settled as %s before", old)
	}
	j.states[key] = state
	return nil
}

// state returns the settled state of the event at a position, or an empty string.
func (j *fakeJournal) state(endpoint string, position int64) string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.states[fmt.Sprintf("%s %d", endpoint, position)]
}

// settled counts the settled deliveries.
func (j *fakeJournal) settled() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.states)
}

// append stores an event of a call and returns its position. The sequence is that of the call.
func (j *fakeJournal) append(call string, t events.Type) int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sequences[call]++
	sequence := j.sequences[call]
	now := time.Now()
	position := int64(len(j.records)+1) * j.stride
	j.records = append(j.records, events.Record{
		Position: position, ID: fmt.Sprintf("evt_%026d", position), CallID: call, Sequence: sequence, Type: t, Stored: now,
		Body: fmt.Appendf(nil, `{"type":%q,"timestamp":%q,"data":{"call":{"id":%q},"sequence":%d,"pad":%q}}`,
			t, now.UTC().Format(time.RFC3339Nano), call, sequence, j.pad),
	})
	close(j.grown)
	j.grown = make(chan struct{})
	return position
}

// testSecret is 32 bytes of ASCII.
const testSecret = "whsec_YnJpZGdlLXRlc3Qta2V5LWN1cnJlbnQtMDAwMDAwMzI="
