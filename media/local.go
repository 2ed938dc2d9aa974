package media

import (
	"net"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// throughProxy are headers that only something between the peer and us puts into a request. With one of them
// the peer's address says nothing about who asks.
var throughProxy = [...]string{
	fiber.HeaderForwarded, fiber.HeaderXForwardedFor, fiber.HeaderXForwardedHost, fiber.HeaderXForwardedProto,
	"X-Real-IP", fiber.HeaderVia,
}

// local tells whether a program on this machine asks. No header can make a request local; the headers of
// proxies and browsers make it a stranger's. A proxy on this machine that adds none of them and asks for
// 127.0.0.1 cannot be told from a program.
func local(c *fiber.Ctx) bool {
	if !c.Context().RemoteIP().IsLoopback() || fromBrowser(c) || !loopbackHost(string(c.Request().Header.Host())) {
		return false
	}
	for _, name := range throughProxy {
		if has(c, name) {
			return false
		}
	}
	return true
}

// fromBrowser tells whether a browser asks, for a page that may be anybody's. Browsers put the page's origin, or
// null, into every WebSocket handshake (RFC 6455 section 4.1) and every POST.
func fromBrowser(c *fiber.Ctx) bool {
	origin := c.Get(fiber.HeaderOrigin)
	return origin == "null" || strings.Contains(origin, "://") || has(c, "Sec-Fetch-Site")
}

// loopbackHost tells whether a Host header names this machine. A name that somebody has made to mean 127.0.0.1
// does not count: that is how a web page gets around the browser's rules (DNS rebinding).
func loopbackHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	} else {
		host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	}
	return strings.EqualFold(host, "localhost") || net.ParseIP(host).IsLoopback()
}

// has tells whether the request has a header, even an empty one.
func has(c *fiber.Ctx, name string) bool { return len(c.Request().Header.PeekAll(name)) > 0 }
