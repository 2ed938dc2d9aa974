package api

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
	"aldeabridge/internal/reqbody"
)

const (
	// queryTime bounds a question to the journal.
	queryTime = 30 * time.Second
	// maxStreams is how many event streams there can be. Each costs two goroutines, and a question to the journal
	// for every batch of events.
	maxStreams = 256
	// heartbeat is the time between comments in an event stream: proxies close connections that are silent.
	heartbeat = 15 * time.Second
)

// Config says what an API works with. Journal, Actor and Guard are needed.
type Config struct {
	Journal Journal
	// Deliverer is nil where no webhook is configured.
	Deliverer Deliverer
	Actor     Actor
	Guard     *Guard
	// Bodies bounds the bodies of requests on their way into memory. Nil means a bound of its own.
	Bodies *reqbody.Budget
	// Logger logs requests that failed because of the server. Nil discards.
	Logger *slog.Logger

	heartbeat  time.Duration // other than 15 s, for tests
	maxStreams int           // other than 256, for tests
	sendTime   time.Duration // other than 10 s, for tests
}

// An API answers requests under /v1. Make it with New. Its methods may be called concurrently.
type API struct {
	config Config
	hub    *hub
	backup sync.Mutex // held while a copy of the journal is made and sent

	ctx  context.Context // of all event streams and questions
	stop context.CancelFunc

	mu      sync.Mutex
	streams int
	closed  bool
	running sync.WaitGroup // event streams
}

// New returns an API. The caller must Close it.
func New(c Config) *API {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Bodies == nil {
		c.Bodies = &reqbody.Budget{}
	}
	if c.heartbeat == 0 {
		c.heartbeat = heartbeat
	}
	if c.maxStreams == 0 {
		c.maxStreams = maxStreams
	}
	if c.sendTime == 0 {
		c.sendTime = sendTime
	}
	a := &API{config: c, hub: newHub(c.Journal.Last)}
	a.ctx, a.stop = context.WithCancel(context.Background())
	return a
}

// Register adds the routes, all below /v1, and the guard before them.
func (a *API) Register(r fiber.Router) {
	r.Use("/v1", a.config.Guard.Handle)
	for _, route := range a.routes() {
		r.Add(route.method, route.path, a.handler(route))
		if route.method == fiber.MethodGet {
			r.Add(fiber.MethodHead, route.path, a.handler(route))
		}
	}
	r.Use("/v1", noRoute)
}

// body reads the body of a request, which may have at most limit bytes. It is valid until done is called, in any case.
func (a *API) body(c *fiber.Ctx, limit int) (body []byte, done func(), err error) {
	body, done, err = a.config.Bodies.Read(c.Context(), limit)
	if e := (*reqbody.Error)(nil); errors.As(err, &e) {
		err = refuse(e.Status, "%s", e.Detail)
	}
	return body, done, err
}

// handler is the route as Fiber wants it.
func (a *API) handler(r route) fiber.Handler {
	return func(c *fiber.Ctx) error {
		q, err := readQuery(c, r.query)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(a.ctx, queryTime)
		defer cancel()
		err = r.serve(ctx, c, q)
		switch {
		case errors.Is(err, ErrDisk), errors.Is(err, ErrDamaged):
			a.config.Logger.Error("request failed", "method", c.Method(), "route", r.path, "err", err)
			return diskProblem(err)
		case errors.Is(err, context.DeadlineExceeded):
			return refuse(fiber.StatusServiceUnavailable, "The journal did not answer within %v: ask for less, or later.", queryTime)
		case errors.Is(err, ErrCursor):
			return refuse(fiber.StatusBadRequest, "cursor: %q is not what next_cursor of a page before said.", q.text("cursor"))
		case errors.Is(err, ErrUnavailable) || errors.Is(err, context.Canceled):
			return refuse(fiber.StatusServiceUnavailable, "This server is shutting down.")
		}
		return err
	}
}

// diskProblem is the answer where the disk or the file of the journal is the reason.
func diskProblem(err error) error {
	if errors.Is(err, ErrDamaged) {
		return refuse(fiber.StatusInternalServerError, "It cannot be read: a part of the journal is damaged. The next start of bridge repairs it.")
	}
	reason := "the disk does not take it"
	if e := (*DiskError)(nil); errors.As(err, &e) {
		reason = e.Reason
	}
	if errors.Is(err, errNoRoom) {
		return refuse(fiber.StatusInsufficientStorage, "There is no room for a copy of the journal beside it (%s): a backup needs as much "+
			"free disk as the journal has in the data directory. Free some and try again.", reason)
	}
	return refuse(fiber.StatusInsufficientStorage, "It cannot be written: %s. Make room, or make the disk writable, and try again; nothing was changed.", reason)
}

// noRoute answers requests without a route, and names what would be right.
func noRoute(c *fiber.Ctx) error {
	if errors.Is(c.Next(), fiber.ErrMethodNotAllowed) {
		return refuse(fiber.StatusMethodNotAllowed, "%s is not possible here: use %s.", c.Method(), c.GetRespHeader(fiber.HeaderAllow))
	}
	return refuse(fiber.StatusNotFound, "There is nothing at this address: /v1/openapi.json says what there is.")
}

// Publish tells the event streams of an event that happened. It does not block. Stored events may be told too; the
// streams read them from the journal.
func (a *API) Publish(e events.Event) { a.hub.publish(e) }

// Stats are numbers for metrics.
type Stats struct {
	Streams int   // event streams that are open
	Dropped int64 // interims that a slow client did not get
}

// Stats returns how the event streams do.
func (a *API) Stats() Stats {
	a.mu.Lock()
	defer a.mu.Unlock()
	return Stats{Streams: a.streams, Dropped: a.hub.dropped.Load()}
}

// Close ends every event stream and returns when none is left. Later requests for one are answered with 503.
func (a *API) Close() {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	a.stop()
	a.running.Wait()
}
