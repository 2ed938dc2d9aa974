package api

import (
	"context"

	"github.com/gofiber/fiber/v2"
)

// A route is a method and a path, the parameters that its query may have, and who answers.
type route struct {
	method, path string
	query        []string
	serve        func(context.Context, *fiber.Ctx, *query) error
}

// routes is every route. openapi.json describes them.
func (a *API) routes() []route {
	const get, post, del = fiber.MethodGet, fiber.MethodPost, fiber.MethodDelete
	return []route{
		{get, "/v1/calls", []string{"day", "since", "until", "number", "state", "limit", "cursor"}, a.listCalls},
		{get, "/v1/calls/:id", nil, a.oneCall},
		{del, "/v1/calls/:id", nil, a.deleteCall},
		{get, "/v1/calls/:id/transcript", []string{"format"}, a.transcript},
		{get, "/v1/calls/:id/events", []string{"after"}, a.callEvents},
		{post, "/v1/calls/:id/actions", nil, a.act},
		{post, "/v1/calls/:id/redeliver", []string{"endpoint"}, a.redeliverCall},
		{get, "/v1/events", []string{"types", "after"}, a.allEvents},
		{get, "/v1/search", []string{"q", "limit", "cursor"}, a.search},
		{get, "/v1/deliveries", []string{"state", "endpoint", "call", "event", "since", "until", "limit", "cursor"}, a.listDeliveries},
		{post, "/v1/deliveries/redeliver", nil, a.redeliverMany},
		{get, "/v1/deliveries/:id", nil, a.oneDelivery},
		{post, "/v1/deliveries/:id/redeliver", nil, a.redeliverOne},
		{get, "/v1/redeliveries", nil, a.listRedeliveries},
		{get, "/v1/endpoints", nil, a.listEndpoints},
		{get, "/v1/backup", nil, a.sendBackup},
		{get, "/v1/openapi.json", nil, a.openAPI},
	}
}
