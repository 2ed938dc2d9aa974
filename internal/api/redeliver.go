package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/api/types"
	"aldeabridge/internal/reqbody"
)

// redeliverOne answers POST /v1/deliveries/{id}/redeliver.
func (a *API) redeliverOne(ctx context.Context, c *fiber.Ctx, _ *query) error {
	if err := a.canDeliver(); err != nil {
		return err
	}
	d, err := a.delivery(ctx, c)
	if err != nil {
		return err
	}
	if d.State == types.DeliveryFiltered {
		return refuse(fiber.StatusConflict, "The endpoint %q does not want events of type %s.", d.Endpoint, d.Type)
	}
	return a.redeliver(c, DeliveryFilter{Event: d.EventID, Endpoint: d.Endpoint})
}

// redeliverCall answers POST /v1/calls/{id}/redeliver.
func (a *API) redeliverCall(ctx context.Context, c *fiber.Ctx, q *query) error {
	if err := a.canDeliver(); err != nil {
		return err
	}
	call, err := a.call(ctx, c)
	if err != nil {
		return err
	}
	return a.redeliver(c, DeliveryFilter{Call: call.ID, Endpoint: q.text("endpoint")})
}

// A wanted redelivery is the body of POST /v1/deliveries/redeliver.
type wanted struct {
	State    string    `json:"state"`
	Endpoint string    `json:"endpoint"`
	Call     string    `json:"call"`
	Since    time.Time `json:"since"`
	Until    time.Time `json:"until"`
}

// redeliverMany answers POST /v1/deliveries/redeliver.
func (a *API) redeliverMany(_ context.Context, c *fiber.Ctx, _ *query) error {
	body, done, err := a.body(c, reqbody.DefaultLimit)
	defer done()
	if err != nil {
		return err
	}
	w, err := readWanted(body)
	if err != nil {
		return err
	}
	if err := a.canDeliver(); err != nil {
		return err
	}
	return a.redeliver(c, DeliveryFilter{State: w.State, Endpoint: w.Endpoint, Call: w.Call, Since: w.Since, Until: w.Until})
}

// readWanted reads what is to be delivered again. Nothing is guessed: a misspelt field would mean everything.
func readWanted(body []byte) (w wanted, err error) {
	const right = `such as {"state": "dead", "endpoint": "default", "call": "CA…", "since": "2026-01-02T03:04:05Z", "until": "2026-01-03T00:00:00Z"}`
	if len(bytes.TrimSpace(body)) == 0 {
		return w, refuse(fiber.StatusBadRequest, "The body is empty: send a JSON object %s.", right)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&w); err != nil {
		return w, refuse(fiber.StatusBadRequest, "The body is not a JSON object %s: %v.", right, err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return w, refuse(fiber.StatusBadRequest, "There is something behind the JSON object in the body.")
	}
	if w == (wanted{}) {
		return w, refuse(fiber.StatusBadRequest, "The body says nothing about which deliveries: give at least one field, %s.", right)
	}
	if w.State != "" && w.State != types.DeliveryDead && w.State != types.DeliveryDelivered && w.State != types.DeliveryWaiting {
		return w, refuse(fiber.StatusBadRequest, "state: %q is not one of dead, delivered, waiting.", w.State)
	}
	for _, t := range []time.Time{w.Since, w.Until} {
		if !t.IsZero() && !inRange(t) {
			return w, refuse(fiber.StatusBadRequest, "since, until: %v is not a time like 2026-01-02T03:04:05Z.", t)
		}
	}
	return w, nil
}

// canDeliver refuses the request if there is no dispatcher.
func (a *API) canDeliver() error {
	if a.config.Deliverer == nil {
		return refuse(fiber.StatusConflict, "No webhook is configured, so nothing can be delivered: set WEBHOOK_URL.")
	}
	return nil
}

// redeliver starts a redelivery to the endpoint of f, or to every endpoint, and answers 202.
func (a *API) redeliver(c *fiber.Ctx, f DeliveryFilter) error {
	var names []string
	for _, e := range a.config.Deliverer.Endpoints() {
		names = append(names, e.Name)
	}
	if f.Endpoint != "" {
		if !slices.Contains(names, f.Endpoint) {
			return refuse(fiber.StatusConflict, "No endpoint %q is configured; there are: %s.", f.Endpoint, strings.Join(names, ", "))
		}
		names = []string{f.Endpoint}
	}
	started := types.Redeliveries{Redeliveries: []types.StartedRedelivery{}}
	for _, name := range names {
		f.Endpoint = name
		what := describe(f)
		id, err := a.config.Deliverer.Redeliver(f, what)
		if err != nil {
			return err
		}
		started.Redeliveries = append(started.Redeliveries, types.StartedRedelivery{ID: id, Endpoint: name, What: what})
	}
	return answer(c, fiber.StatusAccepted, fiber.MIMEApplicationJSON, started)
}

// describe says in a few words what f wants. Two that want the same are described the same.
func describe(f DeliveryFilter) string {
	parts := []string{}
	add := func(name, value string) {
		if value != "" {
			parts = append(parts, name+value)
		}
	}
	add("", f.State)
	add("event ", f.Event)
	add("call ", f.Call)
	if !f.Since.IsZero() {
		add("since ", f.Since.UTC().Format(time.RFC3339Nano))
	}
	if !f.Until.IsZero() {
		add("until ", f.Until.UTC().Format(time.RFC3339Nano))
	}
	if len(parts) == 0 {
		return "everything"
	}
	return strings.Join(parts, ", ")
}
