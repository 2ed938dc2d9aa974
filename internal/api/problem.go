package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// refuse is an error that is answered with a status and a text for people: what was wrong, and what would be right.
func refuse(status int, format string, args ...any) error {
	return fiber.NewError(status, fmt.Sprintf(format, args...))
}

// answerError answers err as application/problem+json. Unexpected errors are logged, and their text is not sent.
func answerError(c *fiber.Ctx, err error, logger *slog.Logger) error {
	status, detail := fiber.StatusInternalServerError, "Something went wrong here; the log says what."
	if e := (*fiber.Error)(nil); errors.As(err, &e) {
		status, detail = e.Code, e.Message
	} else {
		logger.Error("request failed", "method", c.Method(), "route", c.Route().Path, "err", err)
	}
	return answer(c, status, "application/problem+json", types.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail})
}

// answerJSON answers 200 with v.
func answerJSON(c *fiber.Ctx, v any) error {
	return answer(c, fiber.StatusOK, fiber.MIMEApplicationJSON, v)
}

// answer answers with v as JSON. Text keeps its characters, but for those that are hidden: they are escaped. Nothing is
// escaped for HTML.
func answer(c *fiber.Ctx, status int, contentType string, v any) error {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, contentType)
	return c.Status(status).Send(events.EscapeHidden(b.Bytes()))
}
