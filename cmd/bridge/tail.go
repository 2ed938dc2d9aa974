package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/client"
	"aldeabridge/internal/api/types"
)

type tailCmd struct {
	apiOptions `embed:""`
	jsonOption `embed:""`
	Call       string   `arg:"" optional:"" help:"One call's id: from its beginning to its end. Without it all calls, from now on."`
	Types      []string `placeholder:"TYPE" help:"Only events of these types, such as utterance.final,call.ended."`
	After      int64    `default:"-1" placeholder:"POSITION" help:"Begin behind this position in the journal; 0 is its beginning."`
	Interims   bool     `default:"true" negatable:"" help:"Show what is not final yet."`
}

// A viewer shows one event.
type viewer interface {
	show(client.Message) error
}

// Run shows events as they happen, until ctx ends or the one call is over.
func (c *tailCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	types, err := events.ParseTypes(c.Types)
	if err != nil {
		return fmt.Errorf("--types: %w", err)
	}
	c.Types = convert(types, func(t events.Type) string { return string(t) })
	var view viewer = jsonLines{term}
	if !c.wanted(term.stdout) {
		live := &liveView{one: c.Call != "", lines: lines{out: term.stdout, inPlace: isTerminal(term.stdout)}}
		defer live.clear()
		view = live
		fmt.Fprintf(term.stderr, "Watching %s; Ctrl-C ends.\n", api.URL)
	}
	path, query := "/v1/events", parameters("types", strings.Join(c.Types, ","))
	var end *callEnd
	if c.Call != "" {
		path, query = "/v1/calls/"+url.PathEscape(c.Call)+"/events", url.Values{}
		end = &callEnd{api: api, path: "/v1/calls/" + url.PathEscape(c.Call)}
		if err := end.ask(ctx); err != nil {
			return err
		}
	}
	if c.After >= 0 {
		query.Set("after", fmt.Sprint(c.After))
	}
	for m, err := range api.Follow(ctx, path, query, notices(term, view)) {
		if err != nil {
			return err
		}
		if c.wants(m) {
			if err := view.show(m); err != nil {
				return err
			}
		}
		if end != nil {
			if over, err := end.reached(ctx, m); over || err != nil {
				return err
			}
		}
	}
	return nil
}

// wants says whether m is to be shown.
func (c *tailCmd) wants(m client.Message) bool {
	switch {
	case m.Comment != "":
		return false
	case !c.Interims && (m.Type == string(events.TypeTranscriptInterim) || m.Type == string(events.TypeSpeechStarted)):
		return false
	}
	return len(c.Types) == 0 || slices.Contains(c.Types, m.Type)
}

// notices tells people that the connection was lost, and that there is one again.
func notices(term terminal, view viewer) func(error, time.Duration) {
	return func(err error, wait time.Duration) {
		if live, ok := view.(*liveView); ok {
			live.clear()
		}
		if err == nil {
			fmt.Fprintln(term.stderr, "Connected again.")
			return
		}
		fmt.Fprintf(term.stderr, "Lost the connection (%s); trying again in %v.\n", strings.TrimPrefix(explain(err).Error(), "client: "), wait.Round(100*time.Millisecond))
	}
}

// jsonLines prints the very bytes of each event.
type jsonLines struct{ term terminal }

func (j jsonLines) show(m client.Message) error { return printJSON(j.term.stdout, m.Data) }

// A callEnd finds out whether a call is over and all of it was seen: a stream of one call does not end by itself, since
// the carrier may connect the call again.
type callEnd struct {
	api   *client.Client
	path  string
	call  types.Call
	seen  int64 // the last sequence
	quiet bool  // nothing came since the last heartbeat
}

// ask looks how the call is doing.
func (e *callEnd) ask(ctx context.Context) (err error) {
	e.call, err = client.Get[types.Call](ctx, e.api, e.path, nil)
	return err
}

// reached says whether m was the last of the call.
func (e *callEnd) reached(ctx context.Context, m client.Message) (bool, error) {
	if m.Comment != "" {
		// Between two heartbeats all that is kept has come, also if reading started after the last event.
		quiet := e.quiet
		e.quiet = true
		if !quiet {
			return false, nil
		}
		err := e.ask(ctx)
		return err == nil && e.call.State != types.CallUp, ignoreDeleted(err)
	}
	e.quiet = false
	var event struct {
		Data struct {
			Sequence int64 `json:"sequence"`
		} `json:"data"`
	}
	if json.Unmarshal(m.Data, &event) == nil {
		e.seen = max(e.seen, event.Data.Sequence)
	}
	if m.Type != string(events.TypeCallEnded) && (e.call.State == types.CallUp || e.seen < int64(e.call.Events)) {
		return false, nil
	}
	if err := e.ask(ctx); err != nil {
		return false, ignoreDeleted(err)
	}
	return e.call.State != types.CallUp && e.seen >= int64(e.call.Events), nil
}

// ignoreDeleted makes nothing of the error that the call is not there any more: then its stream tells.
func ignoreDeleted(err error) error {
	if p := (*client.Problem)(nil); errors.As(err, &p) {
		return nil
	}
	return err
}
