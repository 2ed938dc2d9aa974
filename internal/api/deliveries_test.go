package api

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// newDeliveryRig starts an API with two endpoints, of which one's name has a dot, and some deliveries.
func newDeliveryRig(t *testing.T) (*rig, *fakeDeliverer) {
	d := &fakeDeliverer{names: []string{"a", "b.c"}}
	r := newRig(t, func(c *Config) { c.Deliverer = d })
	for _, one := range []struct{ event, endpoint, state string }{{"evt_1", "a", "waiting"}, {"evt_2", "a", "filtered"}, {"evt_2", "b.c", "dead"}} {
		r.journal.deliveries = append(r.journal.deliveries, types.Delivery{
			ID: one.event + "." + one.endpoint, EventID: one.event, Endpoint: one.endpoint, State: one.state, CallID: "CA1", Type: events.TypeUtteranceFinal, Stored: types.Time{Time: epoch},
		})
	}
	r.journal.attempts = []types.Attempt{{Number: 1, Started: types.Time{Time: epoch}, LatencyMS: 12.345, Status: 503, Answer: "<busy> & \uFFFD"}}
	return r, d
}

func TestADeliveryHasItsLog(t *testing.T) {
	r, _ := newDeliveryRig(t)
	got := r.ask(t, "GET", "/v1/deliveries/evt_2.b.c", "")
	want := `{"id":"evt_2.b.c","event_id":"evt_2","type":"utterance.final","call_id":"CA1","sequence":0,"endpoint":"b.c","state":"dead","reason":"",` +
		`"stored":"2026-01-02T03:04:05.678Z","settled":null,"attempts":0,"next_attempt":null,"log":[{"number":1,"started":"2026-01-02T03:04:05.678Z","latency_ms":12.345,` +
		`"status":503,"class":"","error":"","remote":"","live":false,"redelivery":"","answer":"<busy> & ` + "\uFFFD" + `"}]}`
	if got.status != 200 || strings.TrimSpace(got.body) != want {
		t.Errorf("got %d %s\nwant %s", got.status, got.body, want)
	}
	if got := r.ask(t, "GET", "/v1/deliveries/evt_1.a", ""); !strings.Contains(got.body, `"next_attempt":"2026-01-02T04:04:05.678Z"`) {
		t.Errorf("got %s, want when it is tried next", got.body)
	}
	for _, id := range []string{"evt_2", "evt_2.", ".a", "evt_9.a", "evt_2.b"} {
		r.ask(t, "GET", "/v1/deliveries/"+id, "").problem(t, 404, id)
	}
}

func TestDeliveriesAreFilteredByEveryParameter(t *testing.T) {
	r, _ := newDeliveryRig(t)
	got := r.ask(t, "GET", "/v1/deliveries?state=dead&endpoint=b.c&call=CA%2F1&event=evt_2&since=2026-01-02T03:04:05Z&until=2026-01-02T04:04:05%2B01:00&limit=7&cursor=next", "")
	if got.status != 200 {
		t.Fatal(got.body)
	}
	all := r.ask(t, "GET", "/v1/deliveries", "").body
	if n := strings.Count(all, `"next_attempt":null`); n != 2 || !strings.Contains(all, `"next_attempt":"2026-01-02T04:04:05.678Z"`) {
		t.Errorf("got %s, want when the first is tried next, and null for the others", all)
	}
	f := r.journal.asked[0].(DeliveryFilter)
	if !f.Until.Equal(f.Since) {
		t.Errorf("got until %v, want %v", f.Until, f.Since)
	}
	f.Until = time.Time{}
	want := DeliveryFilter{State: "dead", Endpoint: "b.c", Call: "CA/1", Event: "evt_2", Since: epoch.Truncate(time.Second), Cursor: "next", Limit: 7}
	if f != want {
		t.Errorf("got %+v, want %+v", f, want)
	}
}

func TestRedeliveriesAskForWhatTheRequestSays(t *testing.T) {
	since := time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		path, body string
		asked      []DeliveryFilter
		what       string
	}{
		{"/v1/deliveries/evt_2.b.c/redeliver", "", []DeliveryFilter{{Event: "evt_2", Endpoint: "b.c"}}, "event evt_2"},
		{"/v1/deliveries/evt_1.a/redeliver", "", []DeliveryFilter{{Event: "evt_1", Endpoint: "a"}}, "event evt_1"},
		{"/v1/deliveries/redeliver", `{"state":"waiting","endpoint":"a"}`, []DeliveryFilter{{State: "waiting", Endpoint: "a"}}, "waiting"},
		{"/v1/calls/CA1/redeliver", "", []DeliveryFilter{{Call: "CA1", Endpoint: "a"}, {Call: "CA1", Endpoint: "b.c"}}, "call CA1"},
		{"/v1/calls/CA1/redeliver?endpoint=b.c", "", []DeliveryFilter{{Call: "CA1", Endpoint: "b.c"}}, "call CA1"},
		{"/v1/deliveries/redeliver", `{"state":"dead"}`, []DeliveryFilter{{State: "dead", Endpoint: "a"}, {State: "dead", Endpoint: "b.c"}}, "dead"},
		{"/v1/deliveries/redeliver", `{"endpoint":"a"}`, []DeliveryFilter{{Endpoint: "a"}}, "everything"},
		{"/v1/deliveries/redeliver", `{"endpoint":"a","state":"delivered","call":"CA1","since":"2026-01-02T00:00:00Z","until":"2026-01-02T01:00:00+01:00"}`,
			[]DeliveryFilter{{Endpoint: "a", State: "delivered", Call: "CA1", Since: since, Until: since}},
			"delivered, call CA1, since 2026-01-02T00:00:00Z, until 2026-01-02T00:00:00Z"},
	} {
		r, d := newDeliveryRig(t)
		r.journal.add(t, events.Call{ID: "CA1"}, epoch, events.CallStarted{})
		got := r.ask(t, "POST", c.path, c.body)
		if got.status != 202 {
			t.Errorf("%s: got %d %s", c.path, got.status, got.body)
			continue
		}
		var started types.Redeliveries
		if err := json.Unmarshal([]byte(got.body), &started); err != nil {
			t.Fatal(err)
		}
		for i := range d.asked {
			d.asked[i].Since, d.asked[i].Until = d.asked[i].Since.UTC(), d.asked[i].Until.UTC()
			if s := started.Redeliveries[i]; s.Endpoint != c.asked[i].Endpoint || s.What != c.what || s.ID == "" {
				t.Errorf("%s: got %+v, want %q", c.path, s, c.what)
			}
		}
		if !reflect.DeepEqual(d.asked, c.asked) {
			t.Errorf("%s %s: got %+v, want %+v", c.path, c.body, d.asked, c.asked)
		}
	}
}

func TestRedeliveriesThatCannotBeAreRefused(t *testing.T) {
	r, d := newDeliveryRig(t)
	r.journal.add(t, events.Call{ID: "CA1"}, epoch, events.CallStarted{})
	for _, c := range []struct {
		path, body string
		status     int
		detail     string
	}{
		{"/v1/deliveries/evt_2.a/redeliver", "", 409, "does not want"},
		{"/v1/deliveries/evt_9.a/redeliver", "", 404, "evt_9.a"},
		{"/v1/calls/none/redeliver", "", 404, "none"},
		{"/v1/calls/CA1/redeliver?endpoint=z", "", 409, "there are: a, b.c"},
		{"/v1/calls/CA1/redeliver?endpont=a", "", 400, "endpont"},
		{"/v1/deliveries/redeliver", "", 400, "JSON"},
		{"/v1/deliveries/redeliver", "{}", 400, "at least one"},
		{"/v1/deliveries/redeliver", "null", 400, "at least one"},
		{"/v1/deliveries/redeliver", "[]", 400, "JSON object"},
		{"/v1/deliveries/redeliver", `{"stat":"dead"}`, 400, `unknown field "stat"`},
		{"/v1/deliveries/redeliver", `{"state":"filtered"}`, 400, "dead, delivered, waiting"},
		{"/v1/deliveries/redeliver", `{"state":"dead"} {"call":"CA1"}`, 400, "behind"},
		{"/v1/deliveries/redeliver", `{"since":"yesterday"}`, 400, "yesterday"},
		{"/v1/deliveries/redeliver", `{"endpoint":"z"}`, 409, "a, b.c"},
	} {
		r.ask(t, "POST", c.path, c.body).problem(t, c.status, c.detail)
	}
	if len(d.asked) != 0 {
		t.Errorf("got %v, want nothing sent", d.asked)
	}
	d.err = ErrUnavailable
	r.ask(t, "POST", "/v1/deliveries/redeliver", `{"state":"dead"}`).problem(t, 503, "shutting down")
}

func TestWithoutAWebhookThereIsNothingToDeliver(t *testing.T) {
	r := newRig(t, nil)
	r.journal.add(t, events.Call{ID: "CA1"}, epoch, events.CallStarted{})
	for path, want := range map[string]string{
		"/v1/deliveries": `{"data":[],"next_cursor":null}`, "/v1/redeliveries": `{"data":[]}`, "/v1/endpoints": `{"data":[]}`,
	} {
		if got := r.ask(t, "GET", path, ""); got.status != 200 || strings.TrimSpace(got.body) != want {
			t.Errorf("%s: got %d %s, want %s", path, got.status, got.body, want)
		}
	}
	for _, path := range []string{"/v1/deliveries/evt_1.a/redeliver", "/v1/calls/CA1/redeliver", "/v1/deliveries/redeliver"} {
		r.ask(t, "POST", path, `{"state":"dead"}`).problem(t, 409, "WEBHOOK_URL")
	}
}
