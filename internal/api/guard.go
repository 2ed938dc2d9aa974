package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"strings"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/loopback"
)

// A Guard authenticates API requests. Make it with NewGuard. It may be used concurrently.
type Guard struct {
	tokens [][sha256.Size]byte
	local  bool
	logger *slog.Logger
}

// NewGuard returns a guard that requires one of tokens, as Authorization: Bearer; several are accepted while tokens are
// rotated. Without tokens it admits everybody. If local, it admits programs on this machine only, with or without tokens:
// not what a web page asks for, and nothing that came through a proxy or under another name (DNS rebinding).
func NewGuard(tokens []string, local bool, logger *slog.Logger) *Guard {
	g := &Guard{local: local, logger: logger}
	for _, t := range tokens {
		g.tokens = append(g.tokens, sha256.Sum256([]byte(t)))
	}
	return g
}

// Handle is the handler before those it guards. It answers their errors, and its own, as application/problem+json.
func (g *Guard) Handle(c *fiber.Ctx) error {
	c.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	c.Set(fiber.HeaderCacheControl, "no-store")
	err := g.admit(c)
	if err == nil {
		keep(c)
		err = c.Next()
	}
	if err != nil {
		return answerError(c, err, g.logger)
	}
	return nil
}

// keep protects the connection of a request that was admitted from being closed for others, where connections are counted.
func keep(c *fiber.Ctx) {
	if counted, ok := c.Context().Conn().(interface{ Keep() bool }); ok {
		counted.Keep()
	}
}

// admit returns nil for whom we serve.
func (g *Guard) admit(c *fiber.Ctx) error {
	if len(g.tokens) > 0 && !g.knows(c.Get(fiber.HeaderAuthorization)) {
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return refuse(fiber.StatusUnauthorized, "The token is missing or wrong: send the header Authorization: Bearer TOKEN with one of BRIDGE_API_TOKEN.")
	}
	if stranger := stranger(c); g.local && stranger != "" {
		return refuse(fiber.StatusForbidden, "Without a BRIDGE_API_TOKEN of 16 or more characters only programs on this machine are served, and only directly: %s. "+
			"Set BRIDGE_API_TOKEN and send it as Authorization: Bearer TOKEN.", stranger)
	}
	return nil
}

// knows compares with each token in the same time, whatever the header says. An empty token matches nothing.
func (g *Guard) knows(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	shown := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for _, t := range g.tokens {
		found |= subtle.ConstantTimeCompare(t[:], shown[:])
	}
	return found == 1 && shown != sha256.Sum256(nil) && strings.EqualFold(scheme, "Bearer")
}

// stranger returns what shows that a request does not come directly from a program on this machine, or an empty string.
func stranger(c *fiber.Ctx) string {
	return loopback.Request{Peer: c.Context().RemoteIP(), Host: string(c.Request().Header.Host()), Header: func(name string) []string {
		var values []string
		for _, value := range c.Request().Header.PeekAll(name) {
			values = append(values, string(value))
		}
		return values
	}}.Stranger()
}
