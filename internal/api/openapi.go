package api

import (
	"context"
	_ "embed" // openapi.json

	"github.com/gofiber/fiber/v2"
)

//go:embed openapi.json
var openAPI []byte

// openAPI answers GET /v1/openapi.json.
func (a *API) openAPI(_ context.Context, c *fiber.Ctx, _ *query) error {
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(openAPI)
}
