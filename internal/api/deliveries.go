package api

import (
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/api/types"
)

// listDeliveries answers GET /v1/deliveries.
func (a *API) listDeliveries(ctx context.Context, c *fiber.Ctx, q *query) error {
	f := DeliveryFilter{
		State:    q.oneOf("state", types.DeliveryWaiting, types.DeliveryDelivered, types.DeliveryFiltered, types.DeliveryDead),
		Endpoint: q.text("endpoint"),
		Call:     q.text("call"),
		Event:    q.text("event"),
		Since:    q.time("since"),
		Until:    q.time("until"),
		Cursor:   q.text("cursor"),
		Limit:    q.limit(),
	}
	if q.err != nil {
		return q.err
	}
	deliveries, next, err := a.config.Journal.Deliveries(ctx, f)
	if err != nil {
		return err
	}
	for i := range deliveries {
		a.schedule(&deliveries[i])
	}
	return answerJSON(c, page(deliveries, next))
}

// schedule says when a delivery that waits is tried next.
func (a *API) schedule(d *types.Delivery) {
	if d.State == types.DeliveryWaiting && a.config.Deliverer != nil {
		d.NextAttempt = types.Time{Time: a.config.Deliverer.NextAttempt(d.Endpoint, d.CallID)}
	}
}

// oneDelivery answers GET /v1/deliveries/{id}.
func (a *API) oneDelivery(ctx context.Context, c *fiber.Ctx, _ *query) error {
	d, err := a.delivery(ctx, c)
	if err != nil {
		return err
	}
	log, err := a.config.Journal.Attempts(ctx, d.EventID, d.Endpoint)
	if err != nil {
		return err
	}
	return answerJSON(c, types.LoggedDelivery{Delivery: d, Log: append([]types.Attempt{}, log...)})
}

// delivery is the delivery that the path names.
func (a *API) delivery(ctx context.Context, c *fiber.Ctx) (types.Delivery, error) {
	id, err := parameter(c, "id")
	if err != nil {
		return types.Delivery{}, err
	}
	event, endpoint, ok := strings.Cut(id, ".")
	if ok && event != "" && endpoint != "" {
		all, _, err := a.config.Journal.Deliveries(ctx, DeliveryFilter{Event: event, Endpoint: endpoint, Limit: 1})
		if err != nil {
			return types.Delivery{}, err
		}
		if len(all) > 0 {
			a.schedule(&all[0])
			return all[0], nil
		}
	}
	return types.Delivery{}, refuse(fiber.StatusNotFound, "There is no delivery %q: an id is that of an event, a dot and the name of an endpoint; GET /v1/deliveries lists them.", id)
}

// listRedeliveries answers GET /v1/redeliveries.
func (a *API) listRedeliveries(_ context.Context, c *fiber.Ctx, _ *query) error {
	all := types.List[types.Redelivery]{Data: []types.Redelivery{}}
	if a.config.Deliverer != nil {
		all.Data = append(all.Data, a.config.Deliverer.Redeliveries()...)
	}
	return answerJSON(c, all)
}

// listEndpoints answers GET /v1/endpoints.
func (a *API) listEndpoints(_ context.Context, c *fiber.Ctx, _ *query) error {
	all := types.List[types.Endpoint]{Data: []types.Endpoint{}}
	if a.config.Deliverer != nil {
		all.Data = append(all.Data, a.config.Deliverer.Endpoints()...)
	}
	return answerJSON(c, all)
}
