package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/actions"
	"aldeabridge/events"
	"aldeabridge/internal/version"
	"aldeabridge/journal"
	"aldeabridge/webhooks"
)

// routes returns the HTTP server: the carrier's routes and the health checks.
func (s *server) routes() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:               "bridge " + version.String(),
		DisableStartupMessage: true,
		BodyLimit:             actions.MaxBody,
		ReadBufferSize:        4 << 10, // longest request header; a call keeps this buffer to its end
		ReadTimeout:           10 * time.Second,
		WriteTimeout:          10 * time.Second,
		IdleTimeout:           time.Minute,
		ErrorHandler:          func(c *fiber.Ctx, err error) error { return problem(c, err, s.logger) },
	})
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

// problem answers an error as application/problem+json (RFC 9457).
func problem(c *fiber.Ctx, err error, logger *slog.Logger) error {
	code, detail := fiber.StatusInternalServerError, "Something went wrong here."
	if e := (*fiber.Error)(nil); errors.As(err, &e) {
		code, detail = e.Code, e.Message
	} else {
		logger.Error("request failed", "route", c.Route().Path, "err", err)
	}
	body := fiber.Map{"type": "about:blank", "title": http.StatusText(code), "status": code, "detail": detail}
	b, err := json.Marshal(body)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return c.Status(code).Send(events.EscapeHidden(b))
}
