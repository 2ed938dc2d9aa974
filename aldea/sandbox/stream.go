package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

const (
	maxMessage   = 4 << 20          // bytes of one WebSocket message; beyond it close 1009
	writeTimeout = 10 * time.Second // a client that reads nothing for this long is considered gone
	closeWait    = 2 * time.Second  // how long the client has to answer a close frame
)

// A stream is one WebSocket connection. run owns its two loops: the reader fills the queue, the worker
// (worker.go) empties it.
type stream struct {
	h      *Handler
	opts   *Options
	conn   *websocket.Conn
	turn   turn
	record *record
	queue  *queue
	worker worker
	frozen atomic.Bool   // half-open: nothing is read or answered until Heal
	gone   chan struct{} // closed when nothing is read any more
}

func newStream(h *Handler, x *exchange, conn *websocket.Conn, t turn) *stream {
	st := &stream{h: h, opts: &h.opts, conn: conn, turn: t, record: x.record, queue: newQueue(h.opts.MaxQueue), gone: make(chan struct{})}
	fault, shapes := t.fault, st.opts.random(t, forShapes)
	fault.Mixed = fault.Mixed || st.opts.Profile == ProfileMixed
	fault.mixed(shapes)
	w := &st.worker
	*w = worker{
		opts:    st.opts,
		params:  x.params,
		record:  x.record,
		encoder: encoder{profile: st.opts.Profile, requestID: x.requestID, model: modelName(st.opts.Source), created: time.Now(), random: shapes},
		write:   st.write,
		gone:    st.gone,
		fault:   fault,
		actions: fault.actions(),
		healed:  t.healed,
		out:     newSendQueue(&fault, st.opts.random(t, forLatency)),
	}
	w.encoder.fault = &w.fault
	w.resultWriter = resultWriter{encoder: &w.encoder, fault: &w.fault, random: shapes}
	w.halfOpen = st.halfOpen
	return st
}

// run serves the connection until it ended and both loops with it.
func (st *stream) run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	st.record.update(func(c *Connection) { c.Open = true })
	defer context.AfterFunc(ctx, func() { st.conn.Close() })()
	spare := context.AfterFunc(st.turn.era, func() {
		st.closed(websocket.CloseAbnormalClosure, "", nil)
		reset(st.conn.NetConn())
		cancel()
	})
	defer spare()
	st.worker.outage = func(o Outage) {
		spare() // this stream ends with its own close code
		st.h.faults.strike(o)
	}
	working := make(chan struct{})
	go func() {
		defer close(working)
		st.finish(st.worker.run(ctx, st.queue))
		cancel() // the reader may wait for room in the queue
	}()
	wait := st.read(ctx)
	close(st.gone)
	if !wait {
		cancel()
	}
	<-working
	st.conn.Close()
	st.record.update(func(c *Connection) { c.Open = false })
	st.h.logger.Info("stream ended", "request_id", st.worker.encoder.requestID, "audio", st.worker.audio())
}

// read fills the queue until the client is gone. It reports whether the worker still has messages for the client.
func (st *stream) read(ctx context.Context) (wait bool) {
	ending, audio := false, false
	st.conn.SetReadLimit(maxMessage)
	st.answerControl(ctx, &ending)
	st.allow(!ending)
	for {
		kind, data, err := st.conn.ReadMessage()
		if err != nil {
			return st.readError(ctx, err, ending)
		}
		st.hold(ctx)
		it := classify(kind, data)
		it.at = time.Now()
		if ending {
			continue // frames after CloseStream are ignored
		}
		audio = audio || it.audio != nil
		ending = it.control == closeStream || it.control == emptyFrame && st.opts.EmptyFrame == EmptyFrameEnd
		if it.control != keepAlive || audio || st.opts.Lenient {
			st.allow(!ending)
		}
		if st.queue.push(ctx, it) != nil {
			return false
		}
	}
}

// answerControl says how close frames and pings are answered.
func (st *stream) answerControl(ctx context.Context, ending *bool) {
	st.conn.SetCloseHandler(func(code int, _ string) error {
		st.hold(ctx)
		if *ending { // results are due first; the close frame that answers follows them
			return nil
		}
		return st.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, ""), time.Now().Add(writeTimeout))
	})
	pong := st.conn.PingHandler()
	st.conn.SetPingHandler(func(data string) error {
		st.hold(ctx)
		return pong(data)
	})
}

// halfOpen stops reading and gives up the stream's place among those that work; what it returns undoes that.
func (st *stream) halfOpen() func() {
	st.frozen.Store(true)
	st.h.yield(-1)
	return func() {
		st.h.yield(1)
		st.frozen.Store(false)
	}
}

// hold waits while the connection is half-open. The idle timeout restarts afterwards.
func (st *stream) hold(ctx context.Context) {
	if !st.frozen.Load() {
		return
	}
	select {
	case <-st.turn.healed:
		st.allow(true)
	case <-ctx.Done():
	}
}

// allow sets the read deadline to the idle timeout, or removes it.
func (st *stream) allow(limited bool) {
	var deadline time.Time
	if limited && st.opts.IdleTimeout > 0 {
		deadline = time.Now().Add(st.opts.IdleTimeout)
	}
	_ = st.conn.SetReadDeadline(deadline) // fails only on a connection that is closed; the read says so
}

// readError records how reading ended.
func (st *stream) readError(ctx context.Context, err error, ending bool) (wait bool) {
	var timeout net.Error
	var closed *websocket.CloseError
	switch {
	case errors.As(err, &closed):
		st.record.update(func(c *Connection) {
			if c.ClosedBy == "" {
				c.CloseCode, c.CloseReason, c.ClosedBy = closed.Code, closed.Text, "client"
			}
		})
		return ending
	case errors.Is(err, websocket.ErrReadLimit):
		st.closed(websocket.CloseMessageTooBig, "message too big", err)
		return false
	case errors.As(err, &timeout) && timeout.Timeout():
		return st.queue.push(ctx, item{control: idle}) == nil
	}
	st.record.update(func(c *Connection) {
		if c.ClosedBy == "" {
			c.CloseCode, c.ClosedBy = websocket.CloseAbnormalClosure, "client"
		}
	})
	return false
}

// classify converts a message to an item.
func classify(kind int, data []byte) item {
	if kind == websocket.BinaryMessage {
		if len(data) == 0 {
			return item{control: emptyFrame}
		}
		return item{audio: data}
	}
	var message struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(data, &message); err != nil {
		return item{control: badText, text: "text frame is not a JSON object with a type"}
	}
	switch message.Type {
	case "KeepAlive":
		return item{control: keepAlive}
	case "Finalize":
		return item{control: finalize}
	case "CloseStream":
		return item{control: closeStream}
	}
	return item{control: badText, text: "unknown message type"}
}

// write sends one message. Only the worker calls it.
func (st *stream) write(message string) error {
	_ = st.conn.SetWriteDeadline(time.Now().Add(writeTimeout)) // fails only on a closed connection
	return st.conn.WriteMessage(websocket.TextMessage, []byte(message))
}

// finish ends the connection with the worker's ending.
func (st *stream) finish(end ending) {
	switch end.code {
	case websocket.CloseAbnormalClosure:
		st.closed(end.code, "", end.err)
		reset(st.conn.NetConn())
		return
	case 0: // the client is gone, or the server closes
		return
	}
	st.closed(end.code, end.reason, end.err)
	frame := websocket.FormatCloseMessage(end.code, end.reason)
	if st.conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(writeTimeout)) == nil {
		timer := time.NewTimer(closeWait)
		defer timer.Stop()
		select {
		case <-st.gone:
		case <-timer.C:
		}
	}
	st.conn.Close()
}

// closed records that the server ends the stream.
func (st *stream) closed(code int, reason string, err error) {
	if err != nil {
		st.h.logger.Warn("stream failed", "request_id", st.worker.encoder.requestID, "code", code, "error", err)
	}
	st.record.update(func(c *Connection) {
		if c.ClosedBy == "" {
			c.CloseCode, c.CloseReason, c.ClosedBy = code, reason, "server"
		}
		if err != nil {
			c.Err = err.Error()
		}
	})
}
