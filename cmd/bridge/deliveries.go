package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/mattn/go-runewidth"

	"aldeabridge/internal/api/client"
	"aldeabridge/internal/api/types"
)

type deliveriesCmd struct {
	apiOptions  `embed:""`
	listOptions `embed:""`
	ID          string `arg:"" optional:"" help:"A delivery, evt_….ENDPOINT: show each attempt."`
	Dead        bool   `help:"Those that were given up; the same as --state dead."`
	State       string `enum:",waiting,delivered,filtered,dead" default:"" placeholder:"STATE" help:"Those that are waiting, delivered, filtered (the endpoint does not want them) or dead."`
	Endpoint    string `placeholder:"NAME" help:"Those to this endpoint."`
	Call        string `placeholder:"CALL" help:"Those of this call."`
	Event       string `placeholder:"EVENT" help:"Those of this event, evt_…."`
	Since       moment `placeholder:"TIME" help:"Those whose event was stored then or later: such as 2026-11-22, 2026-11-22 15:04, or how long ago: 90m, 7d."`
	Until       moment `placeholder:"TIME" help:"Those whose event was stored before."`
}

// Run prints a list of deliveries, newest event first; or one of them.
func (c *deliveriesCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	if c.ID != "" {
		return c.one(ctx, term, api)
	}
	if c.Dead {
		if c.State != "" && c.State != types.DeliveryDead {
			return fmt.Errorf("--dead: it contradicts --state %s", c.State)
		}
		c.State = types.DeliveryDead
	}
	query := parameters("state", c.State, "endpoint", c.Endpoint, "call", c.Call, "event", c.Event, "since", c.Since.query(), "until", c.Until.query())
	t := table{columns: []column{{name: "STORED"}, {name: "DELIVERY"}, {name: "CALL"}, {name: "#", right: true}, {name: "TYPE"},
		{name: "STATE"}, {name: "ATTEMPTS", right: true}, {name: "NEXT"}, {name: "WHY"}}}
	n, err := list(ctx, term, c.listOptions, api, "/v1/deliveries", query, func(d types.Delivery) {
		t.add(localTime(d.Stored), d.ID, d.CallID, strconv.FormatInt(d.Sequence, 10), string(d.Type), d.State, strconv.Itoa(d.Attempts), nextAttempt(d), d.Reason)
	})
	if err != nil || c.wanted(term.stdout) {
		return err
	}
	if n == 0 {
		fmt.Fprintln(term.stderr, "No such deliveries.")
		return nil
	}
	return t.print(term.stdout)
}

// one prints one delivery with its attempts.
func (c *deliveriesCmd) one(ctx context.Context, term terminal, api *client.Client) error {
	if c.Dead || c.State != "" || c.Endpoint != "" || c.Call != "" || c.Event != "" || !c.Since.IsZero() || !c.Until.IsZero() {
		return errors.New("a delivery's ID needs no other choice: leave the flags out")
	}
	raw, err := client.Get[json.RawMessage](ctx, api, "/v1/deliveries/"+url.PathEscape(c.ID), nil)
	if err != nil {
		return err
	}
	if c.wanted(term.stdout) {
		return printJSON(term.stdout, raw)
	}
	var d types.LoggedDelivery
	if err := json.Unmarshal(raw, &d); err != nil {
		return fmt.Errorf("%w: %w", client.ErrNotBridge, err)
	}
	state := d.State
	if d.Reason != "" {
		state += ": " + d.Reason
	}
	for _, line := range [][2]string{
		{"event", fmt.Sprintf("%s  %s  number %d of call %s", d.EventID, d.Type, d.Sequence, d.CallID)},
		{"endpoint", d.Endpoint}, {"state", state}, {"stored", localTime(d.Stored)}, {"settled", localTime(d.Settled)}, {"next", nextAttempt(d.Delivery)},
	} {
		fmt.Fprintf(term.stdout, "%-9s %s\n", line[0], printable(line[1]))
	}
	if len(d.Log) == 0 {
		fmt.Fprintln(term.stdout, "\nNo attempt was logged.")
		return nil
	}
	fmt.Fprintln(term.stdout)
	return attempts(d.Log).print(term.stdout)
}

// nextAttempt is when a delivery that waits is tried at the earliest.
func nextAttempt(d types.Delivery) string {
	if at := d.NextAttempt; !at.IsZero() && !at.After(time.Now()) {
		return "now"
	}
	return localTime(d.NextAttempt)
}

// attempts is a table of what was tried.
func attempts(log []types.Attempt) *table {
	t := &table{columns: []column{{name: "#", right: true}, {name: "STARTED"}, {name: "TOOK", right: true}, {name: "RESULT"}, {name: "WHEN"},
		{name: "ADDRESS"}, {name: "ANSWER OR ERROR"}}}
	for _, a := range log {
		result, when := strconv.Itoa(a.Status), "after the call"
		if a.Status == 0 {
			result = words(a.Class)
		}
		switch {
		case a.Redelivery != "":
			when = "redelivery"
		case a.Live:
			when = "live"
		}
		t.add(strconv.Itoa(a.Number), a.Started.Local().Format("2006-01-02 15:04:05.000"), fmt.Sprintf("%.1f ms", a.LatencyMS), result, when,
			a.Remote, runewidth.Truncate(cmp.Or(a.Answer, a.Error), 80, "…"))
	}
	return t
}
