package media

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/gofiber/contrib/websocket"
	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/reqbody"
)

// Defaults of a Server.
const (
	DefaultMaxStreams   = 2500
	DefaultMaxMessage   = 64 << 10
	DefaultStartTimeout = 10 * time.Second
	DefaultIdleTimeout  = 60 * time.Second
	DefaultMaxDuration  = 4 * time.Hour
)

// A Server accepts media streams. Set its fields, call Register, and at the end Shutdown. Fields must not be
// changed after Register.
//
// Every upgrade is checked against PathToken and AuthTokens, if set. If neither is set, only requests from programs on this
// machine are served (see package loopback), unless Insecure is set.
type Server struct {
	// PublicURL is where carriers reach this server: "https://bridge.example.com", with or without a path
	// before /media and /voice. Signatures are checked against it, never against the request's own
	// host. It is required for AuthTokens and for POST /voice/twilio.
	PublicURL string
	// AuthTokens are the carrier account's auth tokens. If there are any, a request must have an
	// X-Twilio-Signature made with one of them; several are useful during token rotation.
	AuthTokens []Secret
	// PathToken, when set, must be the last segment of the stream's path: /media/twilio/TOKEN.
	PathToken Secret
	// Insecure accepts all requests if neither AuthTokens nor PathToken is set.
	Insecure bool

	MaxStreams   int           // streams at once; more get 503. 0 means DefaultMaxStreams
	MaxMessage   int           // bytes of a message; longer ones are skipped. 0 means DefaultMaxMessage
	StartTimeout time.Duration // for the start message, from the upgrade on. 0 means DefaultStartTimeout
	IdleTimeout  time.Duration // without any readable message. 0 means DefaultIdleTimeout
	MaxDuration  time.Duration // longest duration of a stream. 0 means DefaultMaxDuration

	// Tick is the interval at which streams accepted by Listener are read, in steps of 10 ms. 0 means DefaultTick; a
	// negative value means that every message is read as it arrives.
	Tick time.Duration

	// Serve runs a stream: it should call Receive soon, and the stream ends when it returns. ctx ends at
	// Shutdown. It must be set.
	Serve func(ctx context.Context, s *Stream)

	// Bodies bounds the bodies of voice webhooks on their way into memory. Nil means a bound of its own.
	Bodies *reqbody.Budget

	// Logger receives messages for operators. Nil disables logging.
	Logger *slog.Logger

	once    sync.Once
	ctx     context.Context // of all streams
	cancel  context.CancelFunc
	slots   slots
	calls   calls
	hungUp  hangUps
	n       serverCounters
	denied  refusals
	buffers buffers
}

// slotKey is the key of the fiber local that passes the slot from the upgrade to the handler.
const slotKey = "media.slot"

// Register adds the server's routes to r: GET /media, /media/twilio and /media/twilio/:token (WebSocket),
// and POST /voice/twilio.
func (s *Server) Register(r fiber.Router) {
	s.setUp()
	upgrade := websocket.New(s.handle, websocket.Config{
		// The buffers are not used: package media reads and writes frames itself.
		ReadBufferSize:  1,
		WriteBufferSize: 1,
		WriteBufferPool: &sync.Pool{},
		// The default handler would print the panic to standard error.
		RecoverHandler: func(*websocket.Conn) { s.logPanic(recover()) },
	})
	open := func(c *fiber.Ctx) error { return s.upgrade(c, upgrade) }
	r.Get("/media", open)
	r.Get("/media/twilio", open)
	r.Get("/media/twilio/:token", open)
	r.Post("/voice/twilio", s.voice)
}

func (s *Server) setUp() {
	s.once.Do(func() {
		s.ctx, s.cancel = context.WithCancel(context.Background())
		if s.Bodies == nil {
			s.Bodies = &reqbody.Budget{}
		}
		if s.Logger == nil {
			s.Logger = slog.New(slog.DiscardHandler)
		}
	})
}

// Shutdown refuses new streams with 503, ends the running ones (EndShutdown), and waits until every Serve
// has returned or ctx ends; then it returns the error of ctx. Calls answered by POST /voice/twilio
// return there, because their TwiML has a Redirect. Fiber's own shutdown does not wait for WebSockets: call this first.
func (s *Server) Shutdown(ctx context.Context) error {
	s.setUp()
	s.slots.close()
	s.cancel()
	return s.slots.wait(ctx)
}

// Stats returns the counters of the server. It may be called concurrently.
func (s *Server) Stats() ServerStats {
	return ServerStats{
		Active:   s.slots.count(),
		Started:  s.n.started.Load(),
		Denied:   s.n.denied.Load(),
		Full:     s.n.full.Load(),
		Token:    s.n.token.Load(),
		Second:   s.n.second.Load(),
		TooOften: s.n.often.Load(),
		NoStart:  s.n.noStart.Load(),
		Keys:     s.n.keys.Load(),
		LeftOut:  s.n.leftOut.Load(),
		NoAudio:  s.n.noAudio.Load(),
		Panicked: s.n.panicked.Load(),
	}
}

// upgrade answers a stream's HTTP request: a refusal, or 101 and the handler.
func (s *Server) upgrade(c *fiber.Ctx, upgrade fiber.Handler) error {
	if !websocket.IsWebSocketUpgrade(c) {
		c.Set(fiber.HeaderUpgrade, "websocket")
		return (&refusal{fiber.StatusUpgradeRequired, "this address speaks WebSocket: a request needs HTTP/1.1 and the headers " +
			"Connection: Upgrade and Upgrade: websocket, also through a proxy"}).send(c)
	}
	if no := s.admitStream(c); no != nil {
		return s.deny(c, no)
	}
	if no := handshake(c); no != nil {
		return no.send(c)
	}
	slot, full, closed := s.slots.take(cmp.Or(s.MaxStreams, DefaultMaxStreams))
	if full || closed {
		s.n.full.Add(1)
		detail := "as many calls as this server takes are running"
		if closed {
			detail = "this server is shutting down"
		}
		c.Set(fiber.HeaderRetryAfter, "5")
		return (&refusal{fiber.StatusServiceUnavailable, detail}).send(c)
	}
	c.Locals(slotKey, slot)
	if err := upgrade(c); err != nil {
		slot.free()
		c.Set("Sec-WebSocket-Version", "13")
		return (&refusal{fiber.StatusBadRequest, "not a WebSocket handshake of RFC 6455, version 13"}).send(c)
	}
	return nil
}

// handle runs after the upgrade. If the connection can be taken over from the HTTP server, the stream runs in a goroutine of
// its own, so that the memory of the HTTP server and the library is freed; otherwise it runs in the handler.
func (s *Server) handle(c *websocket.Conn) {
	slot, ok := c.Locals(slotKey).(*slot)
	if !ok || !slot.claim() {
		return
	}
	handlers := c.NetConn()
	leave(handlers)
	if nc, early, ok := take(handlers); ok {
		go s.run(slot, newConn(nc, nc, early, &s.buffers))
		return
	}
	s.run(slot, newConn(unwrapped(handlers), handlers, nil, &s.buffers))
}

// run runs one stream until its end and frees the slot, for which Shutdown waits.
func (s *Server) run(slot *slot, c *conn) {
	defer slot.free()
	defer func() { s.logPanic(recover()) }()
	st := s.open(c)
	defer st.release()
	defer st.recoverPanic()
	stop := context.AfterFunc(s.ctx, st.shutDown)
	defer stop()
	if s.begin(st) {
		defer func() { s.calls.leave(st, time.Now()) }()
		s.Serve(s.ctx, st)
		s.logEnd(st)
	}
}

func (s *Server) open(c *conn) *Stream {
	st := newStream(c, s.limits())
	st.spare = &s.buffers.in
	st.onHangUp = func() { s.hungUp.add(st.start.CallSID, time.Now()) }
	st.onNoAudio = func() { s.logNoAudio(st) }
	st.onPanic = s.logPanic
	st.onKeyDropped = func(n int64) { s.keyDropped(st, n) }
	return st
}

func (s *Server) logEnd(st *Stream) {
	st.reportNoAudio(1)
	s.Logger.Debug("stream ended", "call_sid", st.start.CallSID, "stats", st.Stats())
}

// keyDropped counts a key of a stream that was dropped, and reports the first.
func (s *Server) keyDropped(st *Stream, n int64) {
	s.n.keys.Add(1)
	if n == 1 {
		s.Logger.Warn("keys of a stream are dropped: they arrive faster than a person presses them", "call_sid", st.start.CallSID,
			"stream_sid", st.start.StreamSID, "most_at_once", keyBurst, "most_a_second", int(time.Second/keyEvery))
	}
}

// logNoAudio logs and counts a stream with messages and no audio.
func (s *Server) logNoAudio(st *Stream) {
	s.n.noAudio.Add(1)
	s.Logger.Warn("no message of a stream is usable audio: the call is heard as silence", "call_sid", st.start.CallSID,
		"stream_sid", st.start.StreamSID, "messages", st.unusable.n, "trouble", st.unusable.last)
}

// begin reads the start message and decides whether the stream is served. It returns false for a stream that has ended.
func (s *Server) begin(st *Stream) bool {
	if !st.awaitStart() {
		s.n.noStart.Add(1)
		s.warn("stream ended before a usable start message", "reason", st.endReason(), "skipped", st.Stats().Skipped, "trouble", st.unusable.last)
		return false
	}
	if st.start.Format != mulaw {
		s.n.noStart.Add(1)
		s.Logger.Warn("stream refused: not µ-law at 8000 Hz, mono", "call_sid", st.start.CallSID,
			"sample_rate", st.start.Format.SampleRate, "channels", st.start.Format.Channels, "encoding_bytes", len(st.start.Format.Encoding))
		st.refuse(websocket.CloseUnsupportedData)
		return false
	}
	if err := s.admit(st); err != nil {
		s.refuse(st, err)
		return false
	}
	if n := st.start.leftOut; n > 0 {
		s.n.leftOut.Add(int64(n))
		s.Logger.Warn("parameters of a stream left out: there are too many, or they are too long", "call_sid", st.start.CallSID,
			"left_out", n, "most", maxParams, "most_bytes_each", maxParamSize, "most_bytes", maxParamSum)
	}
	s.n.started.Add(1)
	return true
}

// refuse ends a stream that was not admitted.
func (s *Server) refuse(st *Stream, err error) {
	switch {
	case errors.Is(err, ErrToken):
		s.n.token.Add(1)
	case errors.Is(err, ErrSecondStream):
		s.n.second.Add(1)
	case errors.Is(err, ErrTooManyStreams):
		s.n.often.Add(1)
	default: // it has ended
		s.n.noStart.Add(1)
		return
	}
	s.Logger.Warn("stream refused", "call_sid", st.start.CallSID, "stream_sid", st.start.StreamSID, "error", err)
	st.refuse(websocket.ClosePolicyViolation)
}

func (s *Server) limits() limits {
	return limits{
		message:     cmp.Or(s.MaxMessage, DefaultMaxMessage),
		start:       cmp.Or(s.StartTimeout, DefaultStartTimeout),
		idle:        cmp.Or(s.IdleTimeout, DefaultIdleTimeout),
		maxDuration: cmp.Or(s.MaxDuration, DefaultMaxDuration),
		tick:        cmp.Or(s.Tick, DefaultTick),
	}
}

// logPanic logs and counts a panic of one stream, with its stack. p is nil if there was none.
func (s *Server) logPanic(p any) {
	if p != nil {
		s.n.panicked.Add(1)
		s.Logger.Error("panic in a stream", "panic", p, "stack", string(debug.Stack()))
	}
}
