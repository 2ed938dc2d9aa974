package media

import (
	"net/http"

	"github.com/gofiber/fiber/v2"
)

// A refusal is the error answer to a request.
type refusal struct {
	status int
	detail string
}

// problem is the JSON of a refusal (RFC 9457).
type problem struct {
	Type   string `json:"type"`
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

// send answers the request with the refusal.
func (r *refusal) send(c *fiber.Ctx) error {
	p := problem{Type: "about:blank", Title: http.StatusText(r.status), Status: r.status, Detail: r.detail}
	c.Response().ResetBody()
	return c.Status(r.status).JSON(p, "application/problem+json")
}
