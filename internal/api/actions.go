package api

import (
	"context"
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
)

var (
	// ErrActions means that actions cannot be read. The error that wraps it says what would be right.
	ErrActions = errors.New("actions refused")
	// ErrBusy means that a call has so much to do already that no more is taken.
	ErrBusy = errors.New("api: busy")
)

// An Actor does things on calls.
type Actor interface {
	// Act queues the actions of a body, {"actions":[…]}, on a call that is up, all or none, and returns their ids. It
	// keeps nothing of body. It fails with ErrActions, with ErrConflict if the call is not up on this server, and with ErrBusy.
	Act(callID string, body []byte) (ids []string, err error)
}

// An Acting says which actions are being done, by the ids that events about them have. It is an answer.
type Acting struct {
	ActionIDs []string `json:"action_ids"`
}

// maxActions is how many bytes of actions are read, 2 MiB: a play may bring its audio along.
const maxActions = 2 << 20

// act answers POST /v1/calls/{id}/actions.
func (a *API) act(ctx context.Context, c *fiber.Ctx, _ *query) error {
	id, err := parameter(c, "id")
	if err != nil {
		return err
	}
	body, done, err := a.body(c, maxActions)
	defer done()
	if err != nil {
		return err
	}
	ids, err := a.config.Actor.Act(strings.Clone(id), body)
	switch {
	case errors.Is(err, ErrActions):
		return refuse(fiber.StatusUnprocessableEntity, "Nothing was done: %v.", err)
	case errors.Is(err, ErrBusy):
		return refuse(fiber.StatusTooManyRequests, "Nothing was done: too many actions of the call %q wait already. A clear drops what is queued.", id)
	case errors.Is(err, ErrConflict):
		if _, err := a.call(ctx, c); err != nil {
			return err
		}
		return refuse(fiber.StatusConflict, "The call %q is not up: nothing can be done on it any more.", id)
	case err != nil:
		return err
	}
	return answer(c, fiber.StatusAccepted, fiber.MIMEApplicationJSON, Acting{ids})
}
