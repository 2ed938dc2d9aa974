package main

import (
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
)

// routes returns the HTTP server: the carrier's routes and the health checks.
func (s *server) routes() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:               "bridge " + version,
		DisableStartupMessage: true,
		BodyLimit:             1 << 20,
		ReadBufferSize:        4 << 10, // longest request header; a call keeps this buffer to its end
		ReadTimeout:           10 * time.Second,
		WriteTimeout:          10 * time.Second,
		IdleTimeout:           time.Minute,
		ErrorHandler:          func(c *fiber.Ctx, err error) error { return problem(c, err, s.logger) },
	})
	// alive: this process can answer. ready: it takes calls.
	app.Get("/healthz", func(c *fiber.Ctx) error { return c.JSON(fiber.Map{"status": "ok", "version": version}) })
	app.Get("/readyz", func(c *fiber.Ctx) error {
		status, code := "ready", fiber.StatusOK
		if s.draining.Load() {
			status, code = "draining", fiber.StatusServiceUnavailable
		}
		recognizer := "ready"
		if !s.client.Health().Ready() {
			recognizer = "degraded" // calls are taken all the same: their audio waits
		}
		return c.Status(code).JSON(fiber.Map{"status": status, "calls": s.media.Stats().Active, "recognizer": recognizer})
	})
	s.media.Register(app)
	return app
}

// problem answers an error as application/problem+json (RFC 9457).
func problem(c *fiber.Ctx, err error, logger *slog.Logger) error {
	code, detail := fiber.StatusInternalServerError, "Something went wrong here."
	if e := (*fiber.Error)(nil); errors.As(err, &e) {
		code, detail = e.Code, e.Message
	} else {
		logger.Error("request failed", "path", c.Path(), "err", err)
	}
	body := fiber.Map{"type": "about:blank", "title": http.StatusText(code), "status": code, "detail": detail}
	if err := c.Status(code).JSON(body); err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")
	return nil
}
