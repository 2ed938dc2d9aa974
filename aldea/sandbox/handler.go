package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// The paths of the service. POST has the aliases, the WebSocket the second path for bare samples.
const (
	pathListen  = "/v1/listen"
	pathPCM     = "/v1/listen/pcm"
	pathInspect = "/inspect"
	pathControl = "/control/faults"
)

var (
	streamPaths = []string{pathListen, pathPCM}
	postPaths   = []string{pathListen, "/v1/listen/media", "/v1/listen/media/transcribe", "/v1/listen/media/transcribe_file"}
)

// A Handler is the server without a listener. It is safe for concurrent use. Close it to end its streams.
type Handler struct {
	opts     Options
	log      *log
	logger   *slog.Logger
	faults   *schedule
	upgrader websocket.Upgrader

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	active sync.WaitGroup // one for each stream or recording

	mu      sync.Mutex // guards the rest
	running int
	closed  bool
}

// NewHandler returns a Handler for mounting at the root of an HTTP server.
func NewHandler(opts Options) *Handler {
	opts = opts.withDefaults()
	h := &Handler{opts: opts, log: newLog(), logger: opts.Logger}
	h.faults = newSchedule(&h.opts)
	h.ctx, h.cancel = context.WithCancel(context.Background())
	h.upgrader = websocket.Upgrader{
		HandshakeTimeout: 10 * time.Second,
		CheckOrigin:      func(*http.Request) bool { return true }, // pages of any origin may try things out
		Error:            func(http.ResponseWriter, *http.Request, int, error) {},
	}
	return h
}

// Close refuses new requests, cuts all streams and waits for them. It may be called twice.
func (h *Handler) Close() error {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	h.cancel()
	h.active.Wait()
	return nil
}

// ServeHTTP answers streams, recordings, inspection and control; all else gets 404.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch upgrade := websocket.IsWebSocketUpgrade(r); {
	case r.Method == http.MethodGet && r.URL.Path == pathInspect && !upgrade:
		h.trusted(w, r, h.inspect)
	case r.URL.Path == pathControl && !upgrade:
		h.trusted(w, r, h.control)
	case r.Method == http.MethodGet && upgrade && slices.Contains(streamPaths, r.URL.Path):
		h.serve(w, r, "websocket", h.stream)
	case r.Method == http.MethodPost && slices.Contains(postPaths, r.URL.Path):
		h.serve(w, r, "post", h.post)
	default:
		h.serve(w, r, "", nil)
	}
}

// trusted asks for one of the server's keys, if it has any.
func (h *Handler) trusted(w http.ResponseWriter, r *http.Request, next http.HandlerFunc) {
	if key, _ := credentials(r.Header); len(h.opts.Keys) > 0 && !h.opts.allowed(key) {
		http.Error(w, "inspection and control need one of the server's keys", http.StatusUnauthorized)
		return
	}
	next(w, r)
}

// An exchange is one request on its way.
type exchange struct {
	w         http.ResponseWriter
	r         *http.Request
	requestID string
	echo      string // subprotocol to answer with
	params    Params
	record    *record
}

// serve does what streams and recordings have in common: the checks before the first byte of audio.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, transport string, next func(*exchange)) {
	key, echo := credentials(r.Header)
	params, err := h.opts.parseParams(r.URL)
	params.Key = key
	x := &exchange{w: w, r: r, requestID: newRequestID(), echo: echo, params: params}
	x.record = h.log.add(Connection{
		RequestID: x.requestID, Transport: transport, Header: redacted(r.Header, key), KeyHash: keyHash(key),
		Params: params, Query: safeQuery(r.URL.Query().Encode(), key), Status: http.StatusSwitchingProtocols,
	})
	if h.opts.Profile == ProfileDeepgram {
		w.Header().Set("dg-request-id", x.requestID)
	}
	if err == nil {
		if c, ok := h.opts.Source.(checker); ok {
			err = c.Check(params)
		}
	}
	status, refusing := h.faults.refusing()
	switch {
	case refusing && next != nil:
		h.unreachable(x, status)
	case next == nil:
		h.refuse(x, http.StatusNotFound, "NOT_FOUND", "no such endpoint")
	case !h.opts.allowed(key):
		h.refuse(x, http.StatusUnauthorized, "INVALID_AUTH", "missing or wrong API key")
	case err != nil:
		h.refuse(x, http.StatusBadRequest, "INVALID_QUERY_PARAMETER", err.Error())
	case !h.enter():
		w.Header().Set("Retry-After", "1")
		h.refuse(x, http.StatusTooManyRequests, "TOO_MANY_REQUESTS", "too many concurrent connections")
	default:
		defer h.leave()
		next(x)
	}
}

// refuse answers with an HTTP error.
func (h *Handler) refuse(x *exchange, status int, code, message string) {
	if h.opts.Profile == ProfileDeepgram {
		x.w.Header().Set("dg-error", headerSafe(message))
	}
	x.w.Header().Set("Content-Type", "application/json")
	x.w.WriteHeader(status)
	_, _ = x.w.Write([]byte(refusal(h.opts.Profile, code, message, x.requestID)))
	x.record.update(func(c *Connection) { c.Status, c.Err = status, message })
}

// enter takes one of the places for connections.
func (h *Handler) enter() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.running >= h.opts.MaxConnections {
		return false
	}
	h.running++
	h.active.Add(1)
	return true
}

// yield gives a place up while a stream does nothing, and takes it again.
func (h *Handler) yield(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.running += n
}

func (h *Handler) leave() {
	h.mu.Lock()
	h.running--
	h.mu.Unlock()
	h.active.Done()
}

// stream upgrades a request and serves it until it ends.
func (h *Handler) stream(x *exchange) {
	turn := h.faults.turn(x.params)
	x.record.update(func(c *Connection) { c.Fault = turn.fault })
	if !h.greet(x, &turn) {
		return
	}
	header := http.Header{}
	if h.opts.Profile == ProfileDeepgram {
		header.Set("dg-request-id", x.requestID)
	}
	if x.echo != "" {
		header.Set("Sec-WebSocket-Protocol", x.echo)
	}
	conn, err := h.upgrader.Upgrade(x.w, x.r, header)
	if err != nil {
		h.refuse(x, http.StatusBadRequest, "BAD_REQUEST", "not a WebSocket handshake: "+err.Error())
		return
	}
	newStream(h, x, conn, turn).run(h.ctx)
}

// newRequestID is a random UUID (RFC 9562, version 4).
func newRequestID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	s := hex.EncodeToString(b[:])
	return strings.Join([]string{s[:8], s[8:12], s[12:16], s[16:20], s[20:]}, "-")
}

// safeQuery returns the query with the key redacted, if it contains one.
func safeQuery(query, key string) string {
	if key != "" {
		query = strings.ReplaceAll(query, key, keyHash(key))
	}
	return query
}

// headerSafe keeps what may stand in a header.
func headerSafe(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
