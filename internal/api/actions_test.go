package api

import (
	"fmt"
	"strings"
	"testing"

	"aldeabridge/events"
)

func TestActionsAreHandedOn(t *testing.T) {
	actor := &fakeActor{}
	r := newRig(t, func(c *Config) { c.Actor = actor })
	got := r.ask(t, "POST", "/v1/calls/CA%201/actions", `{"actions":[]}`)
	if got.status != 202 || got.body != "{\"action_ids\":[\"act_1\"]}\n" {
		t.Errorf("got %d %s, want 202 and the id", got.status, got.body)
	}
	if len(actor.calls) != 1 || actor.calls[0] != "CA 1" || actor.bodies[0] != `{"actions":[]}` {
		t.Errorf("got calls %q and bodies %q", actor.calls, actor.bodies)
	}
}

func TestBodiesThatAreNotRead(t *testing.T) {
	actor := &fakeActor{}
	r := newRig(t, func(c *Config) { c.Actor = actor })
	for _, path := range []string{"/v1/calls/CA1/actions", "/v1/deliveries/redeliver"} {
		for _, coding := range []string{"gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip"} {
			r.ask(t, "POST", path, `{"actions":[]}`, "Content-Encoding: "+coding).problem(t, 415, "without compression")
		}
	}
	r.ask(t, "POST", "/v1/calls/CA1/actions", strings.Repeat(" ", maxActions+1)).problem(t, 413, "2097152")
	r.ask(t, "POST", "/v1/deliveries/redeliver", strings.Repeat(" ", 64<<10+1)).problem(t, 413, "65536")
	if len(actor.calls) != 0 {
		t.Errorf("got calls %q, want none", actor.calls)
	}
}

func TestWhyActionsAreNotDone(t *testing.T) {
	actor := &fakeActor{}
	r := newRig(t, func(c *Config) { c.Actor = actor })
	r.journal.add(t, events.Call{ID: "CA1"}, epoch, events.CallStarted{})
	for _, c := range []struct {
		call   string
		err    error
		status int
		text   string
	}{
		{"CA1", fmt.Errorf("%w: say needs text", ErrActions), 422, "say needs text"},
		{"CA1", ErrBusy, 429, "too many"},
		{"CA1", ErrConflict, 409, "not up"},
		{"none", ErrConflict, 404, "none"},
	} {
		actor.err = c.err
		r.ask(t, "POST", "/v1/calls/"+c.call+"/actions", `{}`).problem(t, c.status, c.text)
	}
}
