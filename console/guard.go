package console

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
	"net"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// A Guard lets in who may read what was said. Make it with NewGuard. It may be used concurrently.
type Guard struct {
	tokens [][sha256.Size]byte
	local  bool
	logger *slog.Logger
}

// NewGuard returns a guard that wants one of tokens, as Authorization: Bearer. Several serve while tokens are changed.
// Without tokens it lets everybody in, or if local, programs on this machine only: not what a web page asks for, and
// nothing that came through a proxy or under another name (DNS rebinding).
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
		err = c.Next()
	}
	if err != nil {
		return answerError(c, err, g.logger)
	}
	return nil
}

// admit returns nil for whom we serve.
func (g *Guard) admit(c *fiber.Ctx) error {
	if len(g.tokens) > 0 {
		if g.knows(c.Get(fiber.HeaderAuthorization)) {
			return nil
		}
		c.Set(fiber.HeaderWWWAuthenticate, "Bearer")
		return refuse(fiber.StatusUnauthorized, "The token is missing or wrong: send the header Authorization: Bearer TOKEN with one of BRIDGE_API_TOKEN.")
	}
	if stranger := stranger(c); g.local && stranger != "" {
		return refuse(fiber.StatusForbidden, "Without BRIDGE_API_TOKEN only programs on this machine are served, and only directly: %s. "+
			"Set BRIDGE_API_TOKEN and send it as Authorization: Bearer TOKEN.", stranger)
	}
	return nil
}

// knows compares with each token in the same time, whatever the header says.
func (g *Guard) knows(authorization string) bool {
	scheme, token, _ := strings.Cut(authorization, " ")
	shown := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := 0
	for _, t := range g.tokens {
		found |= subtle.ConstantTimeCompare(t[:], shown[:])
	}
	return found == 1 && strings.EqualFold(scheme, "Bearer")
}

// stranger says what shows that a request does not come directly from a program on this machine, or nothing.
func stranger(c *fiber.Ctx) string {
	for _, name := range []string{"Forwarded", "Via", "X-Real-Ip", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if c.Get(name) != "" {
			return "this request has the header " + name
		}
	}
	host := string(c.Request().Header.Host())
	if !loopback(host) {
		return "this request is for a host that is not localhost, 127.0.0.1 or [::1]"
	}
	if origin := c.Get(fiber.HeaderOrigin); origin != "" {
		if u, err := url.Parse(origin); err != nil || u.Host != host {
			return "this request comes from a web page of another origin"
		}
	}
	if site := c.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		return "this request comes from a web page of another origin"
	}
	return ""
}

// loopback tells whether a Host header names this machine. A name that somebody made to mean 127.0.0.1 does not
// count: that is how a web page gets around the browser's rules.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}
