package journal

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/events"
)

// byNumber is a Route: calls to +1 go to orders and log, calls to +2 to log, and calls to +3 to an unknown endpoint.
func byNumber(c events.Call) []string {
	return map[string][]string{"+1": {"orders", "log"}, "+2": {"log"}, "+3": {"stranger"}}[c.To]
}

// dialed returns a dtmf.received event of a call to a number.
func dialed(call, to string) events.Event {
	e := event(call, "1")
	e.Call.To = to
	return e
}

// owed reads n records and returns them with their endpoints, as "call/sequence:endpoint,endpoint".
func owed(t *testing.T, j journal, n int) (all []string) {
	t.Helper()
	for after := int64(0); len(all) < n; {
		records, err := j.Read(t.Context(), after, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			all = append(all, fmt.Sprintf("%s/%d:%s", r.CallID, r.Sequence, strings.Join(r.Owed, ",")))
			after = r.Position
		}
	}
	return all
}

// routedStore opens a store with byNumber as its Route.
func routedStore(t *testing.T, path string, route func(events.Call) []string) *Store {
	t.Helper()
	s, err := Open(Options{Path: path, Endpoints: []string{"orders", "log"}, Route: route, MaxAge: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, s) })
	return s
}

func TestEventsGoToTheEndpointsOfTheirRoute(t *testing.T) {
	memory := NewMemory(0, "orders", "log")
	memory.Route = byNumber
	for name, j := range map[string]journal{"memory": memory, "store": routedStore(t, filepath.Join(t.TempDir(), "j.db"), byNumber)} {
		t.Run(name, func(t *testing.T) {
			for _, e := range []events.Event{dialed("A", "+1"), dialed("B", "+2"), dialed("C", "+3"), dialed("D", ""), dialed("A", "+1"), dialed("C", "+3")} {
				if _, err := j.Append(t.Context(), e); err != nil {
					t.Fatal(err)
				}
			}
			want := []string{"A/1:log,orders", "B/1:log", "A/2:log,orders"}
			if got := owed(t, j, 3); !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
			for _, position := range []int64{1, 2, 5} {
				if err := j.Settle(t.Context(), position, "log", "delivered"); err != nil {
					t.Fatal(err)
				}
			}
			if got, want := owed(t, j, 2), []string{"A/1:orders", "A/2:orders"}; !slices.Equal(got, want) {
				t.Errorf("when the log has it all: got %v, want %v", got, want)
			}
		})
	}
}

func TestEventsWithoutEndpointsAreNotReadAndNotHeld(t *testing.T) {
	memory := NewMemory(1, "orders")
	memory.Route = func(events.Call) []string { return nil }
	appended(t, memory, event("A", "1"), event("A", "2"), event("A", "3")) // more than it may hold
	if s := memory.Stats(); s.Records != 0 || s.Freed != 3 {
		t.Errorf("memory: got %+v, want nothing held", s)
	}
	store := routedStore(t, filepath.Join(t.TempDir(), "j.db"), func(events.Call) []string { return nil })
	put(t, store, event("A", "1"))
	if s := store.Stats(); s.Waiting != 0 || s.Last != 1 {
		t.Errorf("store: got %+v, want one event and nobody waiting", s)
	}
	for name, j := range map[string]journal{"memory": memory, "store": store} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if records, err := j.Read(ctx, 0, 10); err == nil {
			t.Errorf("%s: got %v, want nothing to read", name, records)
		}
		cancel()
	}
}

func TestARestartWithOtherRoutesKeepsPendingDeliveries(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j.db")
	s := routedStore(t, path, byNumber)
	put(t, s, dialed("A", "+1"), dialed("B", "+2"))
	closed(t, s)
	s = routedStore(t, path, func(events.Call) []string { return []string{"orders"} })
	put(t, s, dialed("A", "+1"))
	want := []string{"A/1:orders,log", "B/1:log", "A/2:orders"}
	got := owed(t, s, 3)
	for i := range got { // the backlog names endpoints in the order of their keys
		got[i] = strings.Replace(got[i], "log,orders", "orders,log", 1)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	deliveries, _, err := s.Deliveries(t.Context(), DeliveryFilter{CallID: "B"})
	if err != nil || len(deliveries) != 1 || deliveries[0].Endpoint != "log" {
		t.Errorf("got %+v, %v, want one delivery to the log", deliveries, err)
	}
}

func TestRouteIsCalledOncePerCall(t *testing.T) {
	var asked atomic.Int32
	s := routedStore(t, filepath.Join(t.TempDir(), "j.db"), func(c events.Call) []string {
		asked.Add(1)
		return byNumber(c)
	})
	for range 10 {
		put(t, s, dialed("A", "+1"))
	}
	if n := asked.Load(); n != 1 {
		t.Errorf("got asked %d times, want once", n)
	}
	endpoints := []string{"log", "orders"}
	if n := testing.AllocsPerRun(100, func() { route(nil, endpoints, events.Call{}) }); n != 0 {
		t.Errorf("got %v allocations without a route, want 0", n)
	}
}
