package api

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// epoch is when the fake journal's events happen.
var epoch = time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)

// A fakeJournal keeps events in memory.
type fakeJournal struct {
	mu         sync.Mutex
	wake       chan struct{}
	records    []events.Record
	sequences  map[string]int64
	calls      []types.Call
	deliveries []types.Delivery
	attempts   []types.Attempt
	hits       []Hit
	err        error         // of every question, if it is set
	asked      []any         // filters
	backup     *bytes.Reader // what Backup returns
	closed     chan struct{} // closed when a backup is
	panics     bool          // of Since
	pause      chan struct{} // Calls waits for it, if it is set
}

func newFakeJournal() *fakeJournal {
	return &fakeJournal{wake: make(chan struct{}), sequences: map[string]int64{}, closed: make(chan struct{})}
}

// add appends an event of a call.
func (j *fakeJournal) add(t testing.TB, call events.Call, at time.Time, body events.Body) events.Record {
	t.Helper()
	r, err := j.put(call, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (j *fakeJournal) put(call events.Call, at time.Time, body events.Body) (events.Record, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sequences[call.ID]++
	if j.sequences[call.ID] == 1 {
		j.calls = append(j.calls, types.Call{ID: call.ID, Carrier: "twilio", State: types.CallUp, Started: types.Time{Time: at}})
	}
	b, err := events.Event{Time: at, Call: call, Sequence: j.sequences[call.ID], Body: body}.JSON()
	if err != nil {
		return events.Record{}, err
	}
	p := int64(len(j.records) + 1)
	r := events.Record{Position: p, ID: fmt.Sprintf("evt_%d", p), CallID: call.ID, Sequence: j.sequences[call.ID], Type: body.Type(), Stored: at, Body: b}
	j.records = append(j.records, r)
	close(j.wake)
	j.wake = make(chan struct{})
	return r, nil
}

func (j *fakeJournal) ask(filter any) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.asked = append(j.asked, filter)
	return j.err
}

func (j *fakeJournal) Calls(ctx context.Context, f CallFilter) ([]types.Call, string, error) {
	if err := j.ask(f); err != nil {
		return nil, "", err
	}
	if j.pause != nil {
		select {
		case <-j.pause:
		case <-ctx.Done():
			return nil, "", ctx.Err()
		}
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if f.Cursor != "" && f.Cursor != "next" {
		return nil, "", ErrCursor
	}
	return j.calls, "next", nil
}

func (j *fakeJournal) Call(_ context.Context, id string) (types.Call, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, c := range j.calls {
		if c.ID == id {
			return c, nil
		}
	}
	return types.Call{}, cmp.Or(j.err, ErrNotFound)
}

func (j *fakeJournal) DeleteCall(ctx context.Context, id string) error {
	c, err := j.Call(ctx, id)
	if err == nil && c.State == types.CallUp {
		return ErrConflict
	}
	return err
}

func (j *fakeJournal) Events(_ context.Context, call string, after int64, limit int) (found []events.Record, _ error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if r.CallID == call && r.Sequence > after && len(found) < limit {
			found = append(found, r)
		}
	}
	return found, nil
}

func (j *fakeJournal) Since(ctx context.Context, after int64, limit int) ([]events.Record, error) {
	for {
		j.mu.Lock()
		wake, all, err := j.wake, j.records, j.err
		j.mu.Unlock()
		if err != nil {
			return nil, err
		}
		if n := int64(len(all)); after < n {
			return slices.Clone(all[after:min(n, after+int64(limit))]), nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (j *fakeJournal) Last() int64 {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.panics {
		panic("the journal is broken")
	}
	return int64(len(j.records))
}

func (j *fakeJournal) Search(_ context.Context, f SearchFilter) ([]Hit, string, error) {
	return j.hits, "", j.ask(f)
}

func (j *fakeJournal) Deliveries(_ context.Context, f DeliveryFilter) (found []types.Delivery, _ string, _ error) {
	for _, d := range j.deliveries {
		if (f.Event == "" || f.Event == d.EventID) && (f.Endpoint == "" || f.Endpoint == d.Endpoint) {
			found = append(found, d)
		}
	}
	return found, "", j.ask(f)
}

func (j *fakeJournal) Attempts(context.Context, string, string) ([]types.Attempt, error) {
	return j.attempts, j.err
}

func (j *fakeJournal) Backup(context.Context) (io.ReadCloser, int64, error) {
	return fakeFile{j.backup, j.closed}, j.backup.Size(), j.err
}

type fakeFile struct {
	io.Reader
	closed chan struct{}
}

func (f fakeFile) Close() error { close(f.closed); return nil }

// A fakeDeliverer notes what it is to deliver.
type fakeDeliverer struct {
	mu    sync.Mutex
	asked []DeliveryFilter
	what  []string
	names []string
	err   error
}

func (d *fakeDeliverer) Redeliver(f DeliveryFilter, what string) (string, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked, d.what = append(d.asked, f), append(d.what, what)
	return "rdl_" + strconv.Itoa(len(d.asked)), d.err
}

func (d *fakeDeliverer) NextAttempt(endpoint, call string) time.Time {
	if endpoint != "a" || call != "CA1" {
		return time.Time{}
	}
	return epoch.Add(time.Hour)
}

func (d *fakeDeliverer) Redeliveries() []types.Redelivery {
	return []types.Redelivery{{ID: "rdl_1", Endpoint: "a", What: "dead", Started: types.Time{Time: epoch}, Waiting: 3}}
}

func (d *fakeDeliverer) Endpoints() (all []types.Endpoint) {
	for _, name := range d.names {
		all = append(all, types.Endpoint{Name: name, State: "open"})
	}
	return all
}

// said is the body of an utterance of the caller.
func said(id, text string, start, end time.Duration) events.UtteranceFinal {
	return events.UtteranceFinal{Utterance: events.Utterance{
		ID: id, Index: 1, Speaker: events.Caller, Text: text, Confidence: 0.97, Language: "en", Start: events.Offset(start), End: events.Offset(end),
		Words: []events.Word{}, EndedBy: events.BySpeechFinal, Confirmed: true,
	}}
}

// A fakeActor notes what it is to do.
type fakeActor struct {
	calls, bodies []string
	err           error
}

func (a *fakeActor) Act(callID string, body []byte) ([]string, error) {
	a.calls, a.bodies = append(a.calls, callID), append(a.bodies, string(body))
	return []string{"act_1"}, a.err
}
