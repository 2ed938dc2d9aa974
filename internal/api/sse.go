package api

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
)

const (
	// sendTime is how long a client may take to receive something.
	sendTime = 10 * time.Second
	// partingTime is how long it may take when the server ends.
	partingTime = 500 * time.Millisecond
	// pieceSize is how much is sent at once: each piece has sendTime for itself.
	pieceSize = 16 << 10
)

// callEvents answers GET /v1/calls/{id}/events.
func (a *API) callEvents(ctx context.Context, c *fiber.Ctx, q *query) error {
	call, err := a.call(ctx, c)
	if err != nil {
		return err
	}
	after, err := a.after(c, q, 0)
	if err != nil {
		return err
	}
	return a.stream(c, wish{call: call.ID}, after)
}

// allEvents answers GET /v1/events.
func (a *API) allEvents(_ context.Context, c *fiber.Ctx, q *query) error {
	var w wish
	if text := q.text("types"); text != "" {
		var err error
		if w.types, err = events.ParseTypes(strings.Split(text, ",")); err != nil {
			return refuse(fiber.StatusBadRequest, "types: %v.", err)
		}
	}
	after, err := a.after(c, q, a.config.Journal.Last())
	if err != nil {
		return err
	}
	return a.stream(c, w, after)
}

// after is the position behind which a stream begins: the header Last-Event-ID, that browsers send when they come
// back, or else the parameter after, or else start.
func (a *API) after(c *fiber.Ctx, q *query, start int64) (int64, error) {
	name, text := "Last-Event-ID", c.Get("Last-Event-ID")
	if text == "" {
		name, text = "after", q.text("after")
	}
	if text == "" {
		return start, nil
	}
	after, err := strconv.ParseInt(text, 10, 64)
	if err != nil || after < 0 {
		return 0, refuse(fiber.StatusBadRequest, "%s: %q is not the id of an event in a stream, a number.", name, text)
	}
	if last := a.config.Journal.Last(); after > last {
		return 0, refuse(fiber.StatusBadRequest, "%s: the journal ends at %d, so %d is of another one: begin without it.", name, last, after)
	}
	return after, nil
}

// stream answers with an event stream.
func (a *API) stream(c *fiber.Ctx, w wish, after int64) error {
	head := c.Method() == fiber.MethodHead
	if !head {
		if err := a.begin(); err != nil {
			c.Set(fiber.HeaderRetryAfter, "5")
			return err
		}
	}
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no") // nginx would wait for more
	if head {
		return nil
	}
	// Nothing comes after a stream, so what else the client sends can only be its end; see watch.
	c.Context().Response.Header.SetConnectionClose()
	conn := c.Context().Conn()
	s := &stream{journal: a.config.Journal, wish: w, heartbeat: a.config.heartbeat, dropped: &a.hub.dropped}
	s.listener = a.hub.listen(w)
	write := func(b *bufio.Writer) {
		defer a.running.Done()
		defer a.ended()
		defer a.hub.leave(s.listener)
		a.run(conn, b, s, after)
	}
	if !c.Request().Header.IsHTTP11() {
		streamUntilClose(c, write)
		return nil
	}
	c.Context().SetBodyStreamWriter(write)
	return nil
}

// streamUntilClose answers an HTTP/1.0 client: its body ends with the connection, because HTTP/1.0 has no chunks
// (RFC 9112 section 6.1). fasthttp would send chunks, so write gets the connection itself.
func streamUntilClose(c *fiber.Ctx, write func(*bufio.Writer)) {
	var head bytes.Buffer
	head.WriteString("HTTP/1.0 200 OK\r\n")
	c.Context().Response.Header.VisitAll(func(name, value []byte) {
		if string(name) != fiber.HeaderContentLength && string(name) != fiber.HeaderTransferEncoding {
			fmt.Fprintf(&head, "%s: %s\r\n", name, value)
		}
	})
	head.WriteString("\r\n")
	c.Context().HijackSetNoResponse(true)
	c.Context().Hijack(func(conn net.Conn) {
		b := bufio.NewWriterSize(conn, pieceSize)
		_, _ = b.Write(head.Bytes()) // an error stays in b, and ends the stream at its first event
		write(b)
		_ = b.Flush() // the client may be gone
	})
}

// run runs a stream over a connection. It is in a goroutine of fasthttp's, where a panic would end the program.
func (a *API) run(conn net.Conn, b *bufio.Writer, s *stream, after int64) {
	defer func() {
		if r := recover(); r != nil {
			a.config.Logger.Error("event stream failed", "panic", r)
		}
	}()
	ctx, gone := context.WithCancel(a.ctx)
	defer gone()
	defer watch(conn, gone)()
	o := &outlet{ctx: ctx, conn: conn, to: b, patience: a.config.sendTime}
	defer context.AfterFunc(ctx, o.part)()
	s.out, s.flush = o, o.flush
	if err := s.run(ctx, after, s.wish.call != ""); err != nil && ctx.Err() == nil && !errors.Is(err, errGone) {
		a.config.Logger.Warn("event stream ended", "err", err)
	}
}

// begin takes a place among the streams.
func (a *API) begin() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return ErrUnavailable
	}
	if a.streams >= a.config.maxStreams {
		return refuse(fiber.StatusServiceUnavailable, "As many event streams as this server allows are open (%d): close one, or try again later.", a.config.maxStreams)
	}
	a.streams++
	a.running.Add(1)
	return nil
}

// ended gives the place back.
func (a *API) ended() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.streams--
}

// watch calls gone when the client closes the connection, which otherwise only something sent would tell. The
// function it returns ends that.
func watch(conn net.Conn, gone func()) (end func()) {
	done := make(chan struct{})
	_ = conn.SetReadDeadline(time.Time{}) // fasthttp's was for the request; a broken connection shows in Read
	go func() {
		defer close(done)
		defer gone()
		for b := make([]byte, 64); ; {
			if _, err := conn.Read(b); err != nil {
				return
			}
		}
	}()
	return func() {
		_ = conn.SetReadDeadline(time.Unix(1, 0))
		<-done
	}
}

// errGone means that the client takes nothing any more.
var errGone = errors.New("api: the client is gone")

// An outlet writes to a client that may be slow. fasthttp sets one write deadline for the whole answer; here each
// piece has its own. What is written passes through fasthttp, which writes it to the connection from another
// goroutine, and a piece that does not get through closes the way for the next.
type outlet struct {
	ctx  context.Context
	conn net.Conn
	to   *bufio.Writer

	patience time.Duration // that a piece may take
}

func (o *outlet) Write(p []byte) (n int, err error) {
	for len(p) > 0 {
		if err := o.extend(); err != nil {
			return n, err
		}
		m, err := o.to.Write(p[:min(len(p), pieceSize)])
		n, p = n+m, p[m:]
		if err != nil {
			return n, errGone
		}
	}
	return n, nil
}

func (o *outlet) flush() error {
	if err := o.extend(); err != nil {
		return err
	}
	if err := o.to.Flush(); err != nil {
		return errGone
	}
	return nil
}

// extend gives the next piece its time.
func (o *outlet) extend() error {
	if err := o.conn.SetWriteDeadline(time.Now().Add(o.patience)); err != nil {
		return errGone
	}
	if o.ctx.Err() != nil { // perhaps part was called before the deadline was set
		o.part()
	}
	return o.ctx.Err()
}

// part leaves little time for what is still to be sent.
func (o *outlet) part() {
	_ = o.conn.SetWriteDeadline(time.Now().Add(partingTime)) // one that is closed needs none
}
