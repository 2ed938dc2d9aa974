package webhooktest

import (
	"fmt"
	"testing"
)

// An arrival is "call id sequence status": status 0 for none, -1 for a request that stays unanswered.
func judged(arrivals ...string) Report {
	j := judge{calls: make(map[string]*callState), events: make(map[string]*eventState)}
	for _, a := range arrivals {
		r := &Request{}
		var body string
		n, _ := fmt.Sscan(a, &r.CallID, &r.ID, &r.Sequence, &r.Status, &body)
		r.Body = []byte(body)
		if n < 4 {
			panic(a)
		}
		j.arrived(r)
		if r.Status >= 0 {
			j.answered(r)
		}
	}
	return j.report
}

func TestTheJudgeSeesEachKindOfBrokenPromise(t *testing.T) {
	for _, c := range []struct {
		name     string
		arrivals []string
		want     Report
		good     bool
	}{
		{"in order", []string{"A a 1 200", "A b 2 204", "B x 1 200"}, Report{Calls: 2, Events: 3, Delivered: 3}, true},
		{"a retry", []string{"A a 1 500", "A a 1 0", "A a 1 200"}, Report{Calls: 1, Events: 1, Delivered: 1, Retries: 2}, true},
		{"a repeat", []string{"A a 1 200", "A b 2 200", "A a 1 200"}, Report{Calls: 1, Events: 2, Delivered: 2, Repeats: 1}, true},
		{"a gap of two", []string{"A a 1 200", "A d 4 200"}, Report{Calls: 1, Events: 2, Delivered: 2, Gaps: 2}, false},
		{"a gap at the start", []string{"A b 2 200"}, Report{Calls: 1, Events: 1, Delivered: 1, Gaps: 1}, false},
		{"a gap on a failed attempt", []string{"A b 2 500", "A a 1 200"}, Report{Calls: 1, Events: 2, Delivered: 1, Gaps: 1, Disorder: 1}, false},
		{"a late first arrival", []string{"A a 1 200", "A c 3 200", "A b 2 200"}, Report{Calls: 1, Events: 3, Delivered: 3, Gaps: 1, Disorder: 1}, false},
		{"overtaken", []string{"A a 1 500", "A b 2 200"}, Report{Calls: 1, Events: 2, Delivered: 1, Overtaken: 1}, false},
		{"overtaken and then retried", []string{"A a 1 500", "A b 2 200", "A a 1 200"}, Report{Calls: 1, Events: 2, Delivered: 2, Overtaken: 1, Disorder: 1}, false},
		{"at the same time", []string{"A a 1 -1", "A a 1 200"}, Report{Calls: 1, Events: 1, Delivered: 1, Retries: 1, Overlaps: 1}, false},
		{"other calls at the same time", []string{"A a 1 -1", "B x 1 200"}, Report{Calls: 2, Events: 2, Delivered: 1}, true},
		{"other bytes", []string{"A a 1 500 one", "A a 1 200 two"}, Report{Calls: 1, Events: 1, Delivered: 1, Retries: 1, Changed: 1}, false},
	} {
		got := judged(c.arrivals...)
		if got != c.want || (got.Err() == nil) != c.good {
			t.Errorf("%s: got %+v, %v\nwant %+v, good %t", c.name, got, got.Err(), c.want, c.good)
		}
	}
}
