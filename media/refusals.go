package media

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
)

// warnEvery limits warnings about refused requests, which unauthenticated clients could use to flood the log.
const warnEvery = 10 * time.Second

// refusals counts the refused requests between two log lines. The zero value is ready for use.
type refusals struct {
	mu      sync.Mutex
	leftOut int
	warned  time.Time
}

// level returns the log level of a refusal now, and the number of refusals without a warning since the last one.
func (r *refusals) level(now time.Time) (level slog.Level, leftOut int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.warned) < warnEvery {
		r.leftOut++
		return slog.LevelDebug, r.leftOut
	}
	leftOut, r.leftOut, r.warned = r.leftOut, 0, now
	return slog.LevelWarn, leftOut
}

// deny refuses a request, counts it, and logs it at the level that refusals.level returns.
func (s *Server) deny(c *fiber.Ctx, no *refusal) error {
	s.n.denied.Add(1)
	s.warn("request refused", "status", no.status, "detail", no.detail, "peer", c.Context().RemoteIP().String())
	return no.send(c)
}

// warn logs misbehavior of an unauthenticated client at the level that refusals.level returns.
func (s *Server) warn(message string, attrs ...any) {
	level, leftOut := s.denied.level(time.Now())
	s.Logger.Log(context.Background(), level, message, append(attrs, "left_out", leftOut)...)
}
