package media

import (
	"net/url"

	"github.com/gofiber/fiber/v2"
)

// admitStream authenticates an upgrade request. It returns nil if the request is accepted.
func (s *Server) admitStream(c *fiber.Ctx) *refusal {
	if s.PathToken == "" && c.Params("token") != "" {
		return &refusal{fiber.StatusForbidden, "this server expects no token in the path"}
	}
	if s.PathToken != "" && !equalPath(c.Params("token"), string(s.PathToken)) {
		return &refusal{fiber.StatusForbidden, "the token in the path is missing or wrong"}
	}
	switch {
	case len(s.AuthTokens) > 0:
		return s.admitSigned(c)
	case s.PathToken != "" || s.Insecure || local(c):
		return nil
	}
	return notLocal
}

// notLocal rejects remote clients when no authentication is configured.
var notLocal = &refusal{fiber.StatusForbidden,
	"no carrier authentication is configured, so only programs on this machine are served, and only directly, " +
		"as localhost or 127.0.0.1: no web page, nothing through a proxy. To serve others, " +
		"set the carrier's auth token or a path token, or allow insecure use explicitly"}

// noPublicURL rejects requests that need the public URL of this server.
var noPublicURL = &refusal{fiber.StatusServiceUnavailable,
	"the public URL of this server is not configured, or is not an absolute http(s) URL: set BRIDGE_PUBLIC_URL to " +
		"the address that the carrier uses, such as https://bridge.example.com"}

// admitSigned checks the signature of an upgrade.
func (s *Server) admitSigned(c *fiber.Ctx) *refusal {
	public, ok := parsePublicURL(s.PublicURL)
	if !ok {
		return noPublicURL
	}
	signature, target := c.Get(signatureHeader), c.OriginalURL()
	if signature == "" {
		return &refusal{fiber.StatusForbidden, "the request has no " + signatureHeader}
	}
	if _, ok := signed(s.AuthTokens, signature, public.candidates(true, target), nil); ok {
		return nil
	}
	if _, ok := signed(s.AuthTokens, signature, public.candidates(false, target), nil); ok {
		s.Logger.Warn("stream signed for http instead of ws")
		return nil
	}
	return &refusal{fiber.StatusForbidden, "the " + signatureHeader + " is not ours for this URL: " +
		"check the auth token, and that the public URL is the one the carrier uses"}
}

// admitSender authenticates a request to the voice webhook before its body is read. The answer contains the path token, so
// a server with a path token and no auth token accepts such requests from this machine only.
func (s *Server) admitSender(c *fiber.Ctx) *refusal {
	switch {
	case len(s.AuthTokens) > 0 && c.Get(signatureHeader) == "":
		return &refusal{fiber.StatusForbidden, "the request has no " + signatureHeader}
	case len(s.AuthTokens) > 0, local(c), s.Insecure && s.PathToken == "":
		return nil
	}
	return notLocal
}

// admitWebhook checks the signature of a request to the voice webhook.
func (s *Server) admitWebhook(c *fiber.Ctx, body []byte) *refusal {
	if len(s.AuthTokens) == 0 {
		return nil // admitSender has authenticated the request
	}
	public, ok := parsePublicURL(s.PublicURL)
	if !ok {
		return noPublicURL
	}
	query, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return &refusal{fiber.StatusBadRequest, "the query is not readable"}
	}
	if !signedBody(s.AuthTokens, c.Get(signatureHeader), public.candidates(false, c.OriginalURL()), query, body) {
		return &refusal{fiber.StatusForbidden, "the " + signatureHeader + " is missing or not ours for this URL and body"}
	}
	return nil
}

// equalPath compares a path segment, raw or unescaped, with a token.
func equalPath(segment, token string) bool {
	plain, err := url.PathUnescape(segment)
	if err != nil {
		plain = segment
	}
	return equal(plain, token)
}
