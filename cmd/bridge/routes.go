package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
	"aldeabridge/internal/journal"
	"aldeabridge/internal/reqbody"
	"aldeabridge/internal/version"
	"aldeabridge/webhooks"
)

const (
	maxHeader   = 4 << 10          // bytes of a request's line and headers
	requestTime = 10 * time.Second // in which a request must arrive, with its body
)

// routes returns the HTTP server: the carrier's routes and the health checks.
func (s *server) routes() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:                      "bridge " + version.String(),
		DisableStartupMessage:        true,
		StreamRequestBody:            true, // nothing is allocated for a body that is only announced; see reqbody
		DisablePreParseMultipartForm: true, // it would be read into memory and files, without a bound
		BodyLimit:                    reqbody.DefaultLimit,
		ReadBufferSize:               maxHeader, // a connection keeps this buffer until it becomes a stream
		ReadTimeout:                  requestTime,
		WriteTimeout:                 10 * time.Second,
		IdleTimeout:                  time.Minute,
		ErrorHandler:                 s.unreadable, // handleFirst answers the errors of handlers
	})
	s.guardServer(app)
	app.Use(s.handleFirst)
	app.Use(s.recoverRequest)
	// alive: this process can answer. ready: it takes calls.
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok", "version": version.String()}) })
	app.Get("/readyz", func(c *fiber.Ctx) error {
		status, code := "ready", fiber.StatusOK
		if s.draining.Load() {
			status, code = "draining", fiber.StatusServiceUnavailable
		}
		trouble := s.journalTrouble()
		answer := fiber.Map{
			"status": status, "calls": s.media.Stats().Active,
			// Calls are taken although these are degraded: audio and events wait.
			"recognizer": health(s.client.Health().Ready()), "journal": health(trouble == ""), "webhook": health(s.webhookHealthy()),
		}
		if trouble != "" {
			answer["journal_reason"] = trouble
		}
		return c.Status(code).JSON(answer)
	})
	guard := s.guard()
	app.Get("/metrics", guard.Handle, s.metrics.handler(s))
	s.registerAPI(app, guard)
	s.media.Register(app)
	return app
}

// recoverRequest answers 500 when a handler panics. fasthttp does not recover, so the panic would end all calls.
func (s *server) recoverRequest(c *fiber.Ctx) (err error) {
	defer func() {
		if r := recover(); r != nil {
			s.logger.Error("panic in a request", "method", c.Method(), "type", fmt.Sprintf("%T", r), "stack", string(debug.Stack()))
			err = fiber.NewError(fiber.StatusInternalServerError, "Something went wrong here.")
		}
	}()
	return c.Next()
}

// health is the word for the state of one part.
func health(ok bool) string {
	if ok {
		return "ready"
	}
	return "degraded"
}

// journalTrouble is a word for what is wrong with the journal: the disk does not take events, the file is damaged and the next
// start repairs it, it was deleted, or this start repaired it. It is empty if nothing is.
func (s *server) journalTrouble() string {
	kept, ok := s.store.(*journal.Store)
	if !ok {
		return ""
	}
	switch err := kept.Health(); {
	case err == nil:
		return ""
	case errors.Is(err, journal.ErrRepaired):
		return "repaired"
	case errors.Is(err, journal.ErrDamaged):
		return "damaged"
	case errors.Is(err, journal.ErrDeleted):
		return "deleted"
	}
	return "disk"
}

// webhookHealthy says whether events go out to every endpoint.
func (s *server) webhookHealthy() bool {
	return s.dispatcher == nil || !slices.ContainsFunc(s.dispatcher.Status(), func(e webhooks.EndpointStatus) bool {
		return e.State != webhooks.EndpointOpen
	})
}

// unreadable answers what the HTTP server could not read as a request. Its errors repeat what was received; the answers do not.
func (s *server) unreadable(c *fiber.Ctx, err error) error {
	switch {
	case errors.Is(err, fiber.ErrBadGateway): // Fiber's word for a connection that is closed: nothing can be answered
		c.Context().SetConnectionClose()
		return nil
	case errors.Is(err, fiber.ErrRequestHeaderFieldsTooLarge):
		err = fiber.NewError(fiber.StatusRequestHeaderFieldsTooLarge,
			fmt.Sprintf("The request line and the headers are longer than %d bytes together.", maxHeader))
	case errors.Is(err, fiber.ErrRequestTimeout):
		err = fiber.NewError(fiber.StatusRequestTimeout, fmt.Sprintf("The request did not arrive within %v.", requestTime))
	default:
		err = fiber.NewError(fiber.StatusBadRequest, "This is not a request of HTTP/1.1 that can be read.")
	}
	return s.problem(c, err)
}

// problem answers an error as application/problem+json (RFC 9457), and counts it.
func (s *server) problem(c *fiber.Ctx, err error) error {
	code, detail := fiber.StatusInternalServerError, "Something went wrong here."
	refused, unread := (*fiber.Error)(nil), (*reqbody.Error)(nil)
	switch {
	case errors.As(err, &unread):
		code, detail = unread.Status, unread.Detail
	case errors.As(err, &refused):
		code, detail = refused.Code, refused.Message
	default:
		s.logger.Error("request failed", "route", c.Route().Path, "err", err)
	}
	s.metrics.answered(code)
	body := fiber.Map{"type": "about:blank", "title": http.StatusText(code), "status": code, "detail": detail}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(code).Send(events.EscapeHidden(b))
}
