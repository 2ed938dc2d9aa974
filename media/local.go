package media

import (
	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/loopback"
)

// local reports whether the request comes directly from a program on this machine.
func local(c *fiber.Ctx) bool {
	r := loopback.Request{Peer: c.Context().RemoteIP(), Host: string(c.Request().Header.Host()), Header: func(name string) []string {
		var values []string
		for _, value := range c.Request().Header.PeekAll(name) {
			values = append(values, string(value))
		}
		return values
	}}
	return r.Stranger() == ""
}
