package webhooktest

import (
	"bytes"
	"errors"
	"fmt"
)

// A Report is the result of the judge so far.
type Report struct {
	Requests  int // all that arrived while the endpoint was up
	Calls     int
	Events    int // different events, by webhook-id
	Delivered int // of those, answered 2xx

	Retries int // repeated events that had not been answered 2xx: expected
	Repeats int // repeated events that had been answered 2xx: allowed, but rare

	// Gaps counts skipped sequence numbers of a call. Failed attempts count as arrived. A dead letter or a filtered
	// event before it excuses a gap.
	Gaps int
	// Disorder counts events that arrived, for the first time or again, after a later one of their call.
	Disorder int
	// Overtaken counts events that arrived although an earlier one of their call had arrived and never been
	// answered 2xx. A dead letter excuses it.
	Overtaken int
	// Overlaps counts requests that arrived while another of the same call was being answered.
	Overlaps int
	// Changed counts repeated events with different bytes.
	Changed int
	// Unverified counts requests whose signature did not verify.
	Unverified int
	// Malformed counts requests with other problems: see Request.Problems.
	Malformed int
}

// Err returns nil if all guarantees hold that apply without dead letters: no gap, no disorder, one request of a call
// at a time, the same bytes every time, all signed and well formed. Repeats are allowed.
func (r Report) Err() error {
	var errs []error
	for _, fault := range []struct {
		n    int
		what string
	}{
		{r.Gaps, "sequence numbers missing"},
		{r.Disorder, "events after a later one"},
		{r.Overtaken, "events before an earlier one was answered 2xx"},
		{r.Overlaps, "requests at the same time as another of their call"},
		{r.Changed, "events with changed bytes"},
		{r.Unverified, "requests with a wrong signature"},
		{r.Malformed, "malformed requests"},
	} {
		if fault.n > 0 {
			errs = append(errs, fmt.Errorf("webhooktest: %d %s", fault.n, fault.what))
		}
	}
	return errors.Join(errs...)
}

// A judge checks a sequence of requests. The endpoint's lock guards it.
type judge struct {
	report Report
	calls  map[string]*callState
	events map[string]*eventState // by webhook-id
}

// callState is the judge's state of a call.
type callState struct {
	highest int64 // sequence
	open    int   // requests being answered
	pending int   // events that arrived and were not answered 2xx
}

// eventState is the judge's state of an event.
type eventState struct {
	body      []byte
	delivered bool
}

// arrived checks a verified request.
func (j *judge) arrived(r *Request) {
	c := j.calls[r.CallID]
	if c == nil {
		c = &callState{}
		j.calls[r.CallID] = c
		j.report.Calls++
	}
	e := j.events[r.ID]
	first := e == nil
	if first {
		e = &eventState{body: r.Body}
		j.events[r.ID] = e
		j.report.Events++
	}
	switch {
	case first && r.Sequence > c.highest:
		j.report.Gaps += int(r.Sequence - c.highest - 1)
		if c.pending > 0 {
			j.report.Overtaken++
		}
	case first:
		j.report.Disorder++
	case e.delivered:
		j.report.Repeats++
	case r.Sequence < c.highest:
		j.report.Disorder++
	default:
		j.report.Retries++
	}
	if first {
		c.pending++
	}
	if !bytes.Equal(e.body, r.Body) {
		j.report.Changed++
	}
	if c.open > 0 {
		j.report.Overlaps++
	}
	c.open++
	c.highest = max(c.highest, r.Sequence)
}

// answered records the end of a request that arrived.
func (j *judge) answered(r *Request) {
	c, e := j.calls[r.CallID], j.events[r.ID]
	c.open--
	if r.Status >= 200 && r.Status <= 299 && !e.delivered {
		e.delivered = true
		c.pending--
		j.report.Delivered++
	}
}
