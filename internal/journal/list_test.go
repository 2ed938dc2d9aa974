package journal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// said is an utterance on a call from a number, some minutes after noon.
func said(callID, from, text string, minutes int) events.Event {
	return events.Event{
		Time: noon.Add(time.Duration(minutes) * time.Minute), Call: events.Call{ID: callID, From: from, To: "+1999"},
		Body: events.UtteranceFinal{Utterance: events.Utterance{Text: text}},
	}
}

// ids are the ids of calls.
func ids(calls []Call) (all []string) {
	for _, c := range calls {
		all = append(all, c.ID)
	}
	return all
}

func TestCallsAreListedNewestFirst(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, said("A", "+1111", "one", 0), said("A", "+1111", "two", 0), said("B", "+2222", "x", 1), said("C", "+1111", "x", 2),
		events.Event{Call: events.Call{ID: "A"}, Body: events.CallEnded{Reason: events.EndStop, Duration: events.Offset(time.Minute)}})
	settled(t, s, 1, "crm", "delivered")
	settled(t, s, 2, "crm", "dead:rejected")
	for _, tt := range []struct {
		name   string
		filter CallFilter
		want   []string
	}{
		{"all", CallFilter{}, []string{"C", "B", "A"}},
		{"by caller", CallFilter{Number: "+1111"}, []string{"C", "A"}},
		{"by called", CallFilter{Number: "+1999"}, []string{"C", "B", "A"}},
		{"by nobody", CallFilter{Number: "+3333"}, nil},
		{"up", CallFilter{State: CallUp}, []string{"C", "B"}},
		{"ended", CallFilter{State: CallEnded}, []string{"A"}},
		{"from", CallFilter{From: noon.Add(time.Minute)}, []string{"C", "B"}},
		{"to", CallFilter{To: noon.Add(time.Minute)}, []string{"A"}},
	} {
		got, next, err := s.Calls(t.Context(), tt.filter)
		if err != nil || next != "" || !slices.Equal(ids(got), tt.want) {
			t.Errorf("%s: got %v %q %v, want %v", tt.name, ids(got), next, err, tt.want)
		}
		var paged []string
		for f := tt.filter; ; {
			f.Limit = 1
			got, next, err := s.Calls(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			paged = append(paged, ids(got)...)
			if f.Cursor = next; next == "" {
				break
			}
		}
		if !slices.Equal(paged, tt.want) {
			t.Errorf("%s, page by page: got %v, want %v", tt.name, paged, tt.want)
		}
	}
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	a, err := s.Call(t.Context(), "A")
	if err != nil || a.State != CallEnded || a.Reason != events.EndStop || a.Duration != time.Minute || a.Events != 3 || a.Utterances != 2 ||
		a.Waiting != 1 || a.Dead != 1 || !a.Started.Equal(noon) || a.From != "+1111" {
		t.Errorf("got %+v %v", a, err)
	}
	s = reopened(t, s, "crm")
	if got, _, err := s.Calls(t.Context(), CallFilter{State: CallLost}); err != nil || !slices.Equal(ids(got), []string{"C", "B"}) {
		t.Errorf("after a restart: got %v %v, want C and B lost", ids(got), err)
	}
	if _, err := s.Call(t.Context(), "nobody"); !errors.Is(err, ErrNoCall) {
		t.Errorf("got %v, want ErrNoCall", err)
	}
	for _, bad := range []string{"x", "!", "MS4y!"} {
		if _, _, err := s.Calls(t.Context(), CallFilter{Cursor: bad}); !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %q: got %v, want ErrCursor", bad, err)
		}
	}
}

func TestEventsAreReadByCallAndByPosition(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, event("A", "1"), event("B", "2"), event("A", "3"), event("A", "4"))
	for p := int64(1); p <= 4; p++ {
		settled(t, s, p, "crm", "delivered")
	}
	got, err := s.Events(t.Context(), "A", 1, 0)
	if err != nil || !slices.Equal(places(got), []string{"A/2@3", "A/3@4"}) {
		t.Errorf("Events: got %v %v", places(got), err)
	}
	got, err = s.Since(t.Context(), 1, 2)
	if err != nil || !slices.Equal(places(got), []string{"B/1@2", "A/2@3"}) {
		t.Errorf("Since: got %v %v", places(got), err)
	}
	next := make(chan []events.Record, 1)
	go func() {
		records, err := s.Since(context.Background(), 4, 9)
		if err != nil {
			t.Errorf("Since: %v", err)
		}
		next <- records
	}()
	put(t, s, event("C", "5"))
	if got := places(<-next); !slices.Equal(got, []string{"C/1@5"}) {
		t.Errorf("Since: got %v, want what came meanwhile", got)
	}
}

func TestSearchFindsUtterances(t *testing.T) {
	s := opened(t)
	put(t, s, said("A", "", "Grüße, I'd like to move my appointment", 0), said("B", "", "my appointment is OK; move on", 0), said("C", "", "no", 0))
	for text, want := range map[string]string{
		"appointment":            "B A",
		"GRUSSE":                 "",
		"grüße":                  "A",
		"gruße":                  "A", // accents are ignored
		"move appointment":       "B A",
		`"my appointment"`:       "B A",
		`"move my appointment"`:  "A",
		"appoint":                "",
		"appoint*":               "B A",
		"nobody":                 "",
		`a" OR "no`:              "",
		"NOT no":                 "",
		"appointment) OR (text:": "",
		"I'd":                    "A",
		"- move * !":             "B A", // punctuation is ignored
		"appoint**":              "B A",
		`"my appoint*"`:          "B A",
	} {
		found, next, err := s.Search(t.Context(), Search{Text: text})
		var got []string
		for _, f := range found {
			got = append(got, f.Record.CallID)
		}
		if err != nil || next != "" || strings.Join(got, " ") != want {
			t.Errorf("%q: got %v %q %v, want %s", text, got, next, err, want)
		}
	}
	for text, reason := range map[string]string{
		"": "no word", " \n": "no word", "*": "no word", "***": "no word", `""`: "no word", `"*"`: "no word", "😀 !": "no word",
		`"`: "quote", `"open`: "quote", `my "order" "now`: "quote", `5"`: "quote",
		"*fund": "behind", "re*nd": "behind", `"re* nd"`: "behind",
		"a\x00b": "control", "\x00": "control", "\x1b[2J": "control", "a\u0085b\u009b": "control", "a\xff": "UTF-8", "\uFFFD": "UTF-8",
		strings.Repeat("a ", 65): "at most 64",
	} {
		var wrong *SearchError
		if _, _, err := s.Search(t.Context(), Search{Text: text}); !errors.As(err, &wrong) || !strings.Contains(wrong.Reason, reason) {
			t.Errorf("%q: got %v, want a *SearchError with %q", text, err, reason)
		}
	}
	found, next, err := s.Search(t.Context(), Search{Text: "move", Limit: 1})
	if err != nil || len(found) != 1 || found[0].Snippet != "my appointment is OK; \x02move\x03 on" {
		t.Errorf("got %+v %v", found, err)
	}
	found, next, err = s.Search(t.Context(), Search{Text: "move", Limit: 1, Cursor: next})
	if err != nil || len(found) != 1 || found[0].Record.CallID != "A" || next != "" {
		t.Errorf("second page: got %d hits, next %s, %v, want A", len(found), next, err)
	}
}

func FuzzSearch(f *testing.F) {
	for _, text := range []string{`a "b c" d*`, `"`, `*`, "NEAR(a b)", "\x00", "é*\"x"} {
		f.Add(text)
	}
	s, err := Open(Options{Path: f.TempDir() + "/journal.db"})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() {
		if err := s.Close(); err != nil {
			f.Error(err)
		}
	})
	f.Fuzz(func(t *testing.T, text string) {
		if _, _, err := s.Search(t.Context(), Search{Text: text}); err != nil && !errors.As(err, new(*SearchError)) {
			t.Errorf("%q: %v", text, err)
		}
		if _, _, err := s.Calls(t.Context(), CallFilter{Cursor: text}); err != nil && !errors.Is(err, ErrCursor) {
			t.Errorf("cursor %q: %v", text, err)
		}
	})
}

func TestDeliveriesAndAttemptsAreListed(t *testing.T) {
	s := opened(t, "crm", "log")
	records := put(t, s, event("A", "1"), event("B", "2"), event("A", "3"))
	settled(t, s, 1, "crm", "dead:exhausted")
	settled(t, s, 2, "crm", "delivered")
	settled(t, s, 2, "crm", "dead:exhausted") // the first state is kept
	settled(t, s, 1, "log", "filtered")
	s.Log(Attempt{EventID: records[0].ID, Endpoint: "crm", Number: 1, Live: true, Started: noon, Latency: 1500 * time.Microsecond, Status: 500, Error: "no", Answer: []byte(strings.Repeat("x", 5000))})
	s.Log(Attempt{EventID: records[0].ID, Endpoint: "crm", Number: 2, Started: noon, Class: "dns", Redelivery: "rdl_1", Remote: "192.0.2.1:443"})
	s.Log(Attempt{EventID: "evt_unknown", Endpoint: "crm"})
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	list := func(f DeliveryFilter) (all []string) {
		for {
			page, next, err := s.Deliveries(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				all = append(all, fmt.Sprintf("%d %s %s%s", d.Position, d.Endpoint, d.State, d.Reason))
			}
			if f.Cursor = next; next == "" {
				return all
			}
		}
	}
	for _, tt := range []struct {
		filter DeliveryFilter
		want   []string
	}{
		{DeliveryFilter{}, []string{"3 log waiting", "3 crm waiting", "2 log waiting", "2 crm delivered", "1 log filtered", "1 crm deadexhausted"}},
		{DeliveryFilter{State: "dead"}, []string{"1 crm deadexhausted"}},
		{DeliveryFilter{State: "waiting", Endpoint: "log"}, []string{"3 log waiting", "2 log waiting"}},
		{DeliveryFilter{CallID: "B"}, []string{"2 log waiting", "2 crm delivered"}},
		{DeliveryFilter{EventID: records[2].ID, Endpoint: "crm"}, []string{"3 crm waiting"}},
		{DeliveryFilter{State: "nonsense"}, nil},
		{DeliveryFilter{To: records[0].Stored}, nil},
	} {
		for _, limit := range []int{0, 1} {
			tt.filter.Limit = limit
			if got := list(tt.filter); !slices.Equal(got, tt.want) {
				t.Errorf("%+v: got %v, want %v", tt.filter, got, tt.want)
			}
		}
	}
	for state, want := range map[string][]string{"dead": {"A/1@1"}, "delivered": {"B/1@2"}, "waiting": {"A/2@3"}, "filtered": nil} {
		again, err := s.Deliverable(t.Context(), DeliveryFilter{Endpoint: "crm", State: state}, 0, 0)
		if err != nil || !slices.Equal(places(again), want) || len(again) > 0 && len(again[0].Body) == 0 {
			t.Errorf("%s: got %v %v, want %v", state, places(again), err, want)
		}
	}
	settled(t, s, 1, "crm", "delivered") // by a redelivery
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := list(DeliveryFilter{State: "dead"}); got != nil {
		t.Errorf("got %v, want nothing dead after the redelivery", got)
	}
	attempts, err := s.Attempts(t.Context(), records[0].ID)
	if err != nil || len(attempts) != 2 || len(attempts[0].Answer) != 2<<10 || attempts[0].Latency != 1500*time.Microsecond || !attempts[0].Live ||
		attempts[0].Status != 500 || attempts[1].Redelivery != "rdl_1" || attempts[1].Class != "dns" || !attempts[0].Started.Equal(noon) {
		t.Errorf("got %+v %v", attempts, err)
	}
}
