package main

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"aldeabridge/internal/actions"
	"aldeabridge/internal/listen"
	"aldeabridge/internal/reqbody"
)

// An edge is what requests from the internet meet first: the bounds on connections and on bodies.
type edge struct {
	plan     listen.Plan
	listener *listen.Listener // made by newServer, when the server's other parts exist
	gate     reqbody.Gate
	media    reqbody.Budget // bodies of the carrier's webhooks, read before their signature is checked
	api      reqbody.Budget // bodies of requests to the API, read after their token was checked
}

// mediaBodies is how many bytes the bodies of carriers' webhooks may have together, 64 KiB each.
const mediaBodies = 4 << 20

// Descriptors of one call: the carrier's socket, the recognizer's, and the webhook's.
const (
	perCall        = 3
	perCallSandbox = 1 // more: the other end of the recognizer's socket
)

// openEdge shares out the process's descriptors.
func (s *server) openEdge() {
	limit, err := listen.RaiseDescriptors()
	if err != nil {
		s.logger.Warn("the limit of open files is not known", "err", err)
	}
	need := perCall
	if s.sandbox != nil {
		need += perCallSandbox
	}
	plan := listen.Share(limit, s.options.MaxCalls, need)
	s.edge.plan = plan
	s.edge.media.Total = mediaBodies
	s.edge.gate.Larger = largerBody
	s.logger.Info("limits", "open_files", limit, "calls", plan.Calls, "other_connections", plan.Connections)
	if plan.Calls < s.options.MaxCalls {
		s.logger.Warn("BRIDGE_MAX_CALLS is more than there are files for: fewer calls are taken; raise the limit (ulimit -n, LimitNOFILE=)",
			"BRIDGE_MAX_CALLS", s.options.MaxCalls, "calls", plan.Calls, "open_files", limit, "open_files_needed", plan.Needed)
	}
}

// largerBody returns how long the body of a request may be on the routes that take more than others.
func largerBody(h *fasthttp.RequestHeader) int {
	path, _, _ := bytes.Cut(h.RequestURI(), []byte("?"))
	if h.IsPost() && bytes.HasPrefix(path, []byte("/v1/calls/")) && bytes.HasSuffix(path, []byte("/actions")) {
		return actions.MaxBody
	}
	return 0
}

// guardServer makes the HTTP server tell the edge what happens.
func (s *server) guardServer(app *fiber.App) {
	f := app.Server()
	handler := f.Handler
	f.Handler = func(ctx *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(ctx.Method())) {
			handler(ctx)
			return
		}
		s.refuseMethod(app, ctx) // Fiber's own answer would be plain text, and not counted
	}
	f.HeaderReceived = s.edge.gate.Received
	f.ConnState = func(c net.Conn, state fasthttp.ConnState) {
		if counted, ok := c.(*listen.Conn); ok && state == fasthttp.StateIdle {
			counted.Idle()
		}
	}
}

// refuseMethod answers a request whose method is none of HTTP.
func (s *server) refuseMethod(app *fiber.App, ctx *fasthttp.RequestCtx) {
	c := app.AcquireCtx(ctx)
	defer app.ReleaseCtx(c)
	if err := s.problem(c, fiber.NewError(fiber.StatusNotImplemented, "There is no such method: use GET, HEAD, POST or DELETE.")); err != nil {
		ctx.SetStatusCode(fiber.StatusNotImplemented)
	}
	ctx.SetConnectionClose()
}

// handleFirst is the handler before all others. It answers their errors, too.
func (s *server) handleFirst(c *fiber.Ctx) error {
	ctx := c.Context()
	if counted, ok := ctx.Conn().(*listen.Conn); ok {
		counted.Request(forwardedFor(c))
	}
	err := s.edge.gate.Check(ctx)
	if err == nil {
		err = c.Next()
	}
	if err != nil {
		err = s.problem(c, err)
	} else {
		s.metrics.answered(c.Response().StatusCode())
	}
	reqbody.Discard(ctx)
	return err
}

// forwardedFor returns the values of the headers X-Forwarded-For.
func forwardedFor(c *fiber.Ctx) (values []string) {
	for _, v := range c.Request().Header.PeekAll(fiber.HeaderXForwardedFor) {
		values = append(values, string(v))
	}
	return values
}

// parseProxies reads networks and single addresses.
func parseProxies(texts []string) (networks []netip.Prefix, err error) {
	for _, text := range texts {
		text = strings.TrimSpace(text)
		network, err := netip.ParsePrefix(text)
		if a, addressErr := netip.ParseAddr(text); addressErr == nil && a.Zone() == "" {
			network, err = a.Prefix(a.BitLen())
		}
		if err != nil {
			return nil, fmt.Errorf("BRIDGE_TRUSTED_PROXIES: %q is not a network such as 10.1.0.0/16, nor an address", text)
		}
		networks = append(networks, network.Masked())
	}
	return networks, nil
}
