package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"aldeabridge/internal/api/client"
	"aldeabridge/internal/api/types"
)

type redeliverCmd struct {
	apiOptions `embed:""`
	What       []string `arg:"" optional:"" name:"what" help:"Deliveries (evt_….ENDPOINT), events (evt_…) or calls; without any, all that the flags choose."`
	Dead       bool     `xor:"state" help:"Only what was given up. Otherwise what was delivered is sent again too, and what waits is tried at once."`
	Waiting    bool     `xor:"state" help:"Only what waits: it is tried at once."`
	Endpoint   string   `placeholder:"NAME" help:"Only to this endpoint."`
	Since      moment   `placeholder:"TIME" help:"Only events stored then or later: such as 2026-11-22, 2026-11-22 15:04, or how long ago: 90m, 7d."`
	Until      moment   `placeholder:"TIME" help:"Only events stored before."`
	Wait       bool     `default:"true" negatable:"" help:"Wait until all is sent."`
}

// wish is what the API is asked to send again.
type wish struct {
	State    string `json:"state,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Call     string `json:"call,omitempty"`
	Since    string `json:"since,omitempty"`
	Until    string `json:"until,omitempty"`
}

// Run has events sent again. It fails unless all were accepted.
func (c *redeliverCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	started, err := c.start(ctx, api)
	if err != nil {
		return err
	}
	if len(started) == 0 {
		fmt.Fprintln(term.stderr, "There is nothing to send again.")
		return nil
	}
	if !c.Wait {
		for _, r := range started {
			fmt.Fprintf(term.stdout, "%s  to %s: %s\n", printable(r.ID), printable(r.Endpoint), printable(r.What))
		}
		return nil
	}
	return c.wait(ctx, term, api, started)
}

// start asks for the redeliveries.
func (c *redeliverCmd) start(ctx context.Context, api *client.Client) (all []types.StartedRedelivery, err error) {
	choice := wish{Endpoint: c.Endpoint, Since: c.Since.query(), Until: c.Until.query()}
	if c.Dead {
		choice.State = types.DeliveryDead
	}
	if c.Waiting {
		choice.State = types.DeliveryWaiting
	}
	ask := func(path string, query url.Values, body any) {
		if err != nil {
			return
		}
		var answer types.Redeliveries
		answer, err = client.Post[types.Redeliveries](ctx, api, path, query, body)
		all = append(all, answer.Redeliveries...)
	}
	if len(c.What) == 0 {
		if choice == (wish{}) {
			return nil, errors.New("say what to send again: a delivery, an event, a call, --dead, --waiting, --endpoint or --since")
		}
		ask("/v1/deliveries/redeliver", nil, choice)
	}
	for _, what := range c.What {
		isEvent := strings.HasPrefix(what, "evt_")
		chosen := choice.State != "" || choice.Since != "" || choice.Until != ""
		switch {
		case isEvent && (chosen || strings.Contains(what, ".") && c.Endpoint != ""):
			return nil, fmt.Errorf("%s: it is chosen already: leave --dead, --waiting, --since, --until and --endpoint out", what)
		case isEvent && strings.Contains(what, "."):
			ask("/v1/deliveries/"+url.PathEscape(what)+"/redeliver", nil, nil)
		case isEvent:
			var ids []string
			if ids, err = deliveriesOf(ctx, api, what, c.Endpoint); err != nil {
				return nil, err
			}
			for _, id := range ids {
				ask("/v1/deliveries/"+url.PathEscape(id)+"/redeliver", nil, nil)
			}
		case chosen:
			choice.Call = what
			ask("/v1/deliveries/redeliver", nil, choice)
		default:
			ask("/v1/calls/"+url.PathEscape(what)+"/redeliver", parameters("endpoint", c.Endpoint), nil)
		}
	}
	return all, err
}

// deliveriesOf returns the deliveries of an event.
func deliveriesOf(ctx context.Context, api *client.Client, event, endpoint string) (ids []string, err error) {
	for d, err := range client.List[types.Delivery](ctx, api, "/v1/deliveries", parameters("event", event, "endpoint", endpoint)) {
		if err != nil {
			return nil, err
		}
		ids = append(ids, d.ID)
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("%s: no such event, or it went to no endpoint", event)
	}
	return ids, nil
}

// glance is how often the progress is asked for.
const glance = 250 * time.Millisecond

// wait shows how the redeliveries go until all are finished.
func (c *redeliverCmd) wait(ctx context.Context, term terminal, api *client.Client, started []types.StartedRedelivery) error {
	progress := lines{out: term.stderr, inPlace: isTerminal(term.stderr)}
	defer progress.clear()
	defer func() {
		if ctx.Err() != nil {
			progress.clear()
			fmt.Fprintln(term.stderr, "The bridge goes on sending without you; `bridge deliveries` shows what became of it.")
		}
	}()
	for {
		now, err := client.Get[types.List[types.Redelivery]](ctx, api, "/v1/redeliveries", nil)
		if err != nil {
			return err
		}
		sum, running, missing, why := types.Redelivery{}, false, "", ""
		for _, s := range started {
			i := slices.IndexFunc(now.Data, func(r types.Redelivery) bool { return r.ID == s.ID })
			if i < 0 {
				missing = s.ID
				continue
			}
			r := now.Data[i]
			sum.Delivered, sum.Failed, sum.Waiting = sum.Delivered+r.Delivered, sum.Failed+r.Failed, sum.Waiting+r.Waiting
			running = running || r.Finished.IsZero()
			why = cmp.Or(why, r.Error)
		}
		if !running {
			progress.clear()
			fmt.Fprintf(term.stdout, "sent %d, failed %d\n", sum.Delivered, sum.Failed)
			if missing != "" {
				return fmt.Errorf("the bridge does not know of redelivery %s any more: it was restarted; `bridge deliveries` shows what is left", printable(missing))
			}
			if why != "" {
				return fmt.Errorf("not all that was asked for was sent: %s", printable(why))
			}
			if sum.Delivered+sum.Failed == 0 {
				fmt.Fprintln(term.stderr, "Nothing of that kind is kept, or it is being sent again already.")
			}
			if sum.Failed > 0 {
				return exitCode(1) // bridge deliveries says why
			}
			return nil
		}
		progress.grow("", fmt.Sprintf("sent %d, failed %d, %d to go", sum.Delivered, sum.Failed, sum.Waiting))
		if err := pause(ctx, glance); err != nil {
			return err
		}
	}
}
