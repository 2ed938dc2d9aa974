package api

import (
	"context"
	"errors"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/api/types"
)

// listCalls answers GET /v1/calls.
func (a *API) listCalls(ctx context.Context, c *fiber.Ctx, q *query) error {
	f := CallFilter{
		Since:  q.time("since"),
		Until:  q.time("until"),
		Number: q.number("number"),
		State:  q.oneOf("state", types.CallUp, types.CallEnded, types.CallLost),
		Cursor: q.text("cursor"),
		Limit:  q.limit(),
	}
	if from, to := q.day("day"); !from.IsZero() {
		if !f.Since.IsZero() || !f.Until.IsZero() {
			return refuse(fiber.StatusBadRequest, "day is given with since or until: give either day or those.")
		}
		f.Since, f.Until = from, to
	}
	if q.err != nil {
		return q.err
	}
	calls, next, err := a.config.Journal.Calls(ctx, f)
	if err != nil {
		return err
	}
	return answerJSON(c, page(calls, next))
}

// page is a page of a list, [] and not null where it is empty.
func page[T any](data []T, next string) types.Page[T] {
	p := types.Page[T]{Data: append([]T{}, data...)}
	if next != "" {
		p.NextCursor = &next
	}
	return p
}

// oneCall answers GET /v1/calls/{id}.
func (a *API) oneCall(ctx context.Context, c *fiber.Ctx, _ *query) error {
	call, err := a.call(ctx, c)
	if err != nil {
		return err
	}
	return answerJSON(c, call)
}

// call is the call that the path names.
func (a *API) call(ctx context.Context, c *fiber.Ctx) (types.Call, error) {
	id, err := parameter(c, "id")
	if err != nil {
		return types.Call{}, err
	}
	call, err := a.config.Journal.Call(ctx, id)
	if errors.Is(err, ErrNotFound) {
		return call, noCall(id)
	}
	return call, err
}

func noCall(id string) error {
	return refuse(fiber.StatusNotFound, "No call with the id %q is kept: GET /v1/calls lists those that are.", id)
}

// deleteCall answers DELETE /v1/calls/{id}.
func (a *API) deleteCall(ctx context.Context, c *fiber.Ctx, _ *query) error {
	id, err := parameter(c, "id")
	if err != nil {
		return err
	}
	switch err := a.config.Journal.DeleteCall(ctx, id); {
	case errors.Is(err, ErrNotFound):
		return noCall(id)
	case errors.Is(err, ErrConflict):
		return refuse(fiber.StatusConflict, "The call %q is still up: it can be deleted when it has ended.", id)
	case err != nil:
		return err
	}
	c.Status(fiber.StatusNoContent)
	return nil
}
