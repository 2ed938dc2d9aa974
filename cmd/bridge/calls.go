package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"aldeabridge/internal/api/types"
)

type callsCmd struct {
	apiOptions  `embed:""`
	listOptions `embed:""`
	Day         string `placeholder:"DAY" help:"Calls that began on this day of this machine's time: 2026-11-22, today, yesterday."`
	Since       moment `placeholder:"TIME" help:"Calls that began then or later: such as 2026-11-22, 2026-11-22 15:04, or how long ago: 90m, 7d."`
	Until       moment `placeholder:"TIME" help:"Calls that began before."`
	Number      string `placeholder:"NUMBER" help:"Calls from or to this number."`
	State       string `enum:",up,ended,lost" default:"" placeholder:"STATE" help:"Calls that are up, ended, or lost: bridge was gone before their end."`
}

// Run prints a list of calls, newest first.
func (c *callsCmd) Run(ctx context.Context, term terminal) error {
	query, err := c.query(time.Now())
	if err != nil {
		return err
	}
	api, err := c.client()
	if err != nil {
		return err
	}
	t := table{columns: []column{{name: "STARTED"}, {name: "CALL"}, {name: "FROM → TO"}, {name: "DURATION", right: true},
		{name: "UTTERANCES", right: true}, {name: "STATE"}, {name: "WEBHOOK"}}}
	now := time.Now()
	n, err := list(ctx, term, c.listOptions, api, "/v1/calls", query, func(call types.Call) {
		t.add(localTime(call.Started), call.ID, orDash(call.From)+" → "+orDash(call.To), duration(call, now),
			strconv.Itoa(call.Utterances), call.State, undelivered(call.Deliveries))
	})
	if err != nil || c.wanted(term.stdout) {
		return err
	}
	if n == 0 {
		fmt.Fprintln(term.stderr, "No such calls.")
		return nil
	}
	return t.print(term.stdout)
}

// query is what to ask the API.
func (c *callsCmd) query(now time.Time) (url.Values, error) {
	since, until := c.Since, c.Until
	if c.Day != "" {
		if !since.IsZero() || !until.IsZero() {
			return nil, errors.New("--day: either a day, or --since and --until")
		}
		day, err := parseDay(c.Day, now)
		if err != nil {
			return nil, fmt.Errorf("--day: %w", err)
		}
		since, until = moment{day}, moment{day.AddDate(0, 0, 1)}
	}
	return parameters("since", since.query(), "until", until.query(), "number", c.Number, "state", c.State), nil
}

// parameters makes a query of names and values; empty values are left out.
func parameters(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

// duration is how long a call was, or has been up to now.
func duration(call types.Call, now time.Time) string {
	d := call.Duration.Duration()
	switch call.State {
	case types.CallUp:
		d = max(0, now.Sub(call.Started.Time))
	case types.CallLost:
		return "–"
	}
	if d >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d:%02d", int(d.Minutes()), int(d.Seconds())%60)
}

// undelivered says what of a call did not arrive; nothing if all did.
func undelivered(d types.DeliveryCounts) string {
	switch {
	case d.Waiting > 0 && d.Dead > 0:
		return fmt.Sprintf("%d waiting, %d dead", d.Waiting, d.Dead)
	case d.Waiting > 0:
		return fmt.Sprintf("%d waiting", d.Waiting)
	case d.Dead > 0:
		return fmt.Sprintf("%d dead", d.Dead)
	}
	return ""
}
