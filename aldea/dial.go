package aldea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// dial opens a connection to a host. If the key is refused in the form given, it is tried in the other one before
// the refusal counts.
func (c *Client) dial(ctx context.Context, h *host, form Auth) (*conn, error) {
	opened, err := c.handshake(ctx, h, form)
	if !errors.Is(err, ErrUnauthorized) {
		return opened, err
	}
	other, ok := h.auth.refused(form)
	if !ok {
		return nil, err
	}
	if opened, err = c.handshake(ctx, h, other); err == nil {
		h.auth.accepted(other)
	}
	return opened, err
}

// handshake makes one attempt, bounded by Config.DialTimeout.
func (c *Client) handshake(ctx context.Context, h *host, form Auth) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, c.config.DialTimeout)
	defer cancel()
	header := c.config.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	watch := &watchedDial{dial: c.config.Dial}
	dialer := websocket.Dialer{
		Subprotocols:    form.apply(header, c.config.Key),
		NetDialContext:  watch.dialContext,
		TLSClientConfig: c.config.TLS,
		ReadBufferSize:  1024, // an interim result or two; kept as long as the connection
		WriteBufferSize: 256,  // audio does not go through it
		WriteBufferPool: &c.pools.buffers,
	}
	if watch.dial == nil {
		watch.dial = (&net.Dialer{}).DialContext
		dialer.Proxy = http.ProxyFromEnvironment
	}
	ws, resp, err := dialer.DialContext(ctx, c.urls[h.index].String(), header)
	if resp != nil {
		defer func() { _ = resp.Body.Close() }() // its beginning is in memory
	}
	if !watch.release() {
		if ws != nil {
			_ = ws.Close()
		}
		return nil, fmt.Errorf("aldea: dial %s: %w", h.url.Host, context.Cause(ctx))
	}
	switch {
	case err != nil && resp != nil && resp.StatusCode == http.StatusSwitchingProtocols:
		// A wrong Sec-WebSocket-Accept, or an extension that was not asked for.
		return nil, fmt.Errorf("aldea: dial %s: the handshake was answered with 101, but not as RFC 6455 demands: %w", h.url.Host, err)
	case err != nil && resp != nil:
		return nil, c.statusError(resp)
	case err != nil:
		return nil, fmt.Errorf("aldea: dial %s: %w", h.url.Host, err)
	}
	return newConn(ws, c, h, form, resp.Header.Get("dg-request-id")), nil
}

// messageSamples is the most audio in one message.
func (c *Config) messageSamples() int { return int(sampleAt(max(c.Chunk, backlogChunk))) }

// maxHandshake bounds what a server may send before the handshake is over: certificates and a page of headers. The
// library itself reads headers without end.
const maxHandshake = 128 << 10

// watchedDial closes the socket when the context ends, for the handshake itself only heeds its deadline.
type watchedDial struct {
	dial func(ctx context.Context, network, addr string) (net.Conn, error)
	stop func() bool
	conn *boundedConn
}

func (w *watchedDial) dialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	nc, err := w.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	w.stop = context.AfterFunc(ctx, func() { _ = nc.Close() })
	w.conn = &boundedConn{Conn: plain(nc)}
	w.conn.left.Store(maxHandshake)
	return w.conn, nil
}

// release ends the watch and reports whether the socket was left alone.
func (w *watchedDial) release() bool {
	if w.conn != nil {
		w.conn.left.Store(math.MaxInt64)
	}
	return w.stop == nil || w.stop()
}

// A boundedConn fails to read more than it may.
type boundedConn struct {
	net.Conn
	left atomic.Int64 // bytes; MaxInt64 is no bound
}

var errLongHandshake = fmt.Errorf("aldea: the handshake was answered with more than %d bytes", maxHandshake)

func (b *boundedConn) Read(p []byte) (int, error) {
	left := b.left.Load()
	switch {
	case left == math.MaxInt64:
		return b.Conn.Read(p)
	case left <= 0:
		return 0, errLongHandshake
	}
	n, err := b.Conn.Read(p[:min(int64(len(p)), left)])
	b.left.CompareAndSwap(left, left-int64(n)) // unless release was called since
	return n, err
}

// NetConn is what lies under it.
func (b *boundedConn) NetConn() net.Conn { return b.Conn }

// statusError describes an answer other than 101. The library has read the first kilobyte of its body.
func (c *Client) statusError(resp *http.Response) *StatusError {
	text, _ := io.ReadAll(resp.Body) // from memory
	var body errorBody
	message := shorten(strings.TrimSpace(string(text)))
	if json.Unmarshal(text, &body) == nil {
		message = body.text()
	}
	id := body.id()
	for _, name := range []string{"dg-request-id", "x-request-id"} {
		if id == "" {
			id = resp.Header.Get(name)
		}
	}
	if message == "" {
		message = shorten(resp.Header.Get("dg-error"))
	}
	return &StatusError{
		Status:     resp.StatusCode,
		Message:    c.config.Key.scrub(strings.ToValidUTF8(message, "�")),
		RequestID:  c.config.Key.scrub(shorten(id)),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After"), time.Now()),
	}
}

// retryAfter reads the header of RFC 9110 section 10.2.3: seconds or a date. What it cannot read is 0.
func retryAfter(value string, now time.Time) time.Duration {
	const longest = time.Hour // longer than any call cares
	value = strings.TrimSpace(value)
	if n, err := strconv.ParseInt(value, 10, 32); err == nil {
		return min(max(0, time.Duration(n)*time.Second), longest)
	}
	if t, err := http.ParseTime(value); err == nil {
		return min(max(0, t.Sub(now)), longest)
	}
	return 0
}
