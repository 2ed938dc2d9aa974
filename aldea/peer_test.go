package aldea

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aldeabridge/codec"

	"github.com/gorilla/websocket"
)

// A peer is a recognizer in memory, for use inside a synctest bubble. It speaks 8000 Hz, so that what it
// heard compares byte for byte with what was written.
type peer struct {
	t *testing.T

	// refuse answers handshake n (from 1) with a status other than 0 instead of 101.
	refuse func(n int, r *http.Request) (status int, header http.Header, body string)
	// serve is session n's behavior. The default is (*session).obey.
	serve func(n int, s *session)
	// dial runs before each connection attempt.
	dial func(ctx context.Context) error

	conns  chan net.Conn
	closed chan struct{}
	server *http.Server

	mu         sync.Mutex
	handshakes []handshake
	sessions   []*session
}

type handshake struct {
	at            time.Time
	authorization string
	protocols     []string
	url           string
}

func newPeer(t *testing.T) *peer {
	p := &peer{t: t, conns: make(chan net.Conn), closed: make(chan struct{})}
	p.server = &http.Server{Handler: p}
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = p.server.Serve(p)
	}()
	t.Cleanup(func() {
		_ = p.server.Close()
		for _, s := range p.all() {
			_ = s.ws.Close()
			<-s.done
		}
		<-served
	})
	return p
}

// config returns settings that reach the peer; it understands subprotocol and bearer.
func (p *peer) config() Config {
	return Config{URL: "ws://localhost/", Key: "org_secret", SampleRate: 8000, Dial: p.dialPipe}
}

func (p *peer) client(change func(*Config)) *Client {
	p.t.Helper()
	config := p.config()
	if change != nil {
		change(&config)
	}
	c, err := NewClient(config)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

// both returns a client of two peers, the first preferred.
func both(one, two *peer, change func(*Config)) *Client {
	return one.client(func(c *Config) {
		c.URL = "ws://one.test, ws://two.test"
		c.AllowPlaintext = true
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			if addr == "one.test:80" {
				return one.dialPipe(ctx, network, addr)
			}
			return two.dialPipe(ctx, network, addr)
		}
		if change != nil {
			change(c)
		}
	})
}

// open begins a stream that ends with the test.
func open(t *testing.T, client *Client, attrs ...slog.Attr) *Stream {
	s := client.Open(t.Context(), attrs...)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func (p *peer) dialPipe(ctx context.Context, _, _ string) (net.Conn, error) {
	if p.dial != nil {
		if err := p.dial(ctx); err != nil {
			return nil, err
		}
	}
	ours, theirs := net.Pipe()
	select {
	case p.conns <- theirs:
		return &lazyPipe{Conn: ours}, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// A lazyPipe keeps all that is written once it is lazy, until it must not.
type lazyPipe struct {
	net.Conn
	writing sync.Mutex

	mu   sync.Mutex
	lazy bool
	late []byte
}

func (l *lazyPipe) bufferWrites() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lazy = true
}

func (l *lazyPipe) hasPending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.late) > 0
}

func (l *lazyPipe) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.lazy {
		return l.Conn.Write(b)
	}
	l.late = append(l.late, b...)
	return len(b), nil
}

func (l *lazyPipe) flush(by time.Time) error {
	if err := l.SetWriteDeadline(by); err != nil {
		return err
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	late := l.late
	l.late = nil
	l.mu.Unlock()
	_, err := l.Conn.Write(late)
	return err
}

// The peer is its own listener.
func (p *peer) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *peer) Close() error { close(p.closed); return nil }

func (p *peer) Addr() net.Addr { return &net.TCPAddr{} }

func (p *peer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.handshakes = append(p.handshakes, handshake{
		time.Now(), r.Header.Get("Authorization"), websocket.Subprotocols(r), r.URL.String(),
	})
	n := len(p.handshakes)
	p.mu.Unlock()
	if p.refuse != nil {
		if status, header, body := p.refuse(n, r); status != 0 {
			for name, values := range header {
				w.Header()[name] = values
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
			return
		}
	}
	ws, err := (&websocket.Upgrader{Subprotocols: []string{"token"}}).Upgrade(w, r, nil)
	if err != nil {
		return // the client has gone
	}
	s := &session{peer: p, ws: ws, opened: time.Now(), done: make(chan struct{})}
	defer close(s.done)
	defer func() { _ = ws.Close() }()
	p.mu.Lock()
	p.sessions = append(p.sessions, s)
	n = len(p.sessions)
	p.mu.Unlock()
	if p.serve != nil {
		p.serve(n, s)
		return
	}
	s.obey()
}

func (p *peer) all() []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*session(nil), p.sessions...)
}

func (p *peer) shakes() []handshake {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]handshake(nil), p.handshakes...)
}

// session n (from 1), which must exist.
func (p *peer) session(n int) *session {
	p.t.Helper()
	all := p.all()
	if len(all) < n {
		p.t.Fatalf("got %d connections, want at least %d", len(all), n)
	}
	return all[n-1]
}

// A session is one connection as the recognizer sees it.
type session struct {
	peer   *peer
	ws     *websocket.Conn
	opened time.Time
	done   chan struct{}

	mu       sync.Mutex
	audio    []byte  // µ-law
	controls []event // text messages
	messages []event // audio messages
	final    int     // samples covered by finals
	readErr  error
}

type event struct {
	what  string
	at    time.Duration // since the connection opened
	audio int           // samples heard before
}

// read waits for one message and notes it. It returns the type of a control message, "audio", or "" at the
// end.
func (s *session) read() string {
	kind, data, err := s.ws.ReadMessage()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.readErr = err
		return ""
	}
	now := time.Since(s.opened)
	if kind == websocket.BinaryMessage {
		if len(data) == 0 || len(data)%2 != 0 {
			s.peer.t.Errorf("got an audio message of %d bytes, want whole samples", len(data))
		}
		s.messages = append(s.messages, event{"audio", now, len(s.audio)})
		for i := 0; i+1 < len(data); i += 2 {
			var b [1]byte
			codec.EncodeMuLaw(b[:], []int16{int16(data[i]) | int16(data[i+1])<<8})
			s.audio = append(s.audio, b[0])
		}
		return "audio"
	}
	what := strings.TrimSuffix(strings.TrimPrefix(string(data), `{"type":"`), `"}`)
	s.controls = append(s.controls, event{what, now, len(s.audio)})
	return what
}

// readUntil reads until n samples were heard, and reports whether that many came. Finalize is answered.
func (s *session) readUntil(n int) bool {
	for s.heard() < n {
		switch s.read() {
		case "":
			return false
		case "Finalize":
			s.finalize("flushed")
		}
	}
	return true
}

// obey is a recognizer that only answers Finalize and CloseStream, with one final for all it has not
// covered yet, whose text is the connection time it covers.
func (s *session) obey() {
	for {
		switch s.read() {
		case "":
			return
		case "Finalize":
			s.finalize("flushed")
		case "CloseStream":
			s.finalize("last")
			s.close(1000, "")
			return
		}
	}
}

func (s *session) heard() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.audio)
}

func (s *session) finalize(text string) {
	s.mu.Lock()
	from, to := s.final, len(s.audio)
	s.final = to
	s.mu.Unlock()
	s.result(from, to, true, text)
}

// result sends Results for the samples from..to, with one word that fills it.
func (s *session) result(from, to int, final bool, text string) {
	start, end := float64(from)/8000, float64(to)/8000
	s.say(fmt.Sprintf(`{"type":"Results","channel_index":[0],"start":%v,"duration":%v,"is_final":%v,"speech_final":%v,`+
		`"channel":{"alternatives":[{"transcript":%q,"confidence":0.9,"words":[[%q,%v,%v]]}]}}`,
		start, end-start, final, final, text, text, start*1000, end*1000))
}

func (s *session) say(text string) { _ = s.ws.WriteMessage(websocket.TextMessage, []byte(text)) }

func (s *session) sayBinary(text string) {
	_ = s.ws.WriteMessage(websocket.BinaryMessage, []byte(text))
}

func (s *session) close(code int, reason string) {
	_ = s.ws.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, reason), time.Now().Add(time.Second))
}

// sawControls lists the control messages with their audio positions.
func (s *session) sawControls() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, c := range s.controls {
		fmt.Fprintf(&b, "%s@%d ", c.what, c.audio)
	}
	return strings.TrimSpace(b.String())
}

func (s *session) heardAudio() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]byte(nil), s.audio...)
}

// sound is n samples of the test's source from sample from on: loud, and different everywhere.
func sound(from, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		x := uint32(from+i) * 2654435761
		b[i] = byte(x>>24) & 0x4f // only loud codes; without 0x7f, the zero that G.711 has twice
	}
	return b
}

// silence is n samples of digital silence.
func silence(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = 0xff
	}
	return b
}

// speak writes the source's samples from..to in 20 ms frames, in real time.
func speak(s *Stream, from, to int) {
	for ; from < to; from += 160 {
		s.Write(sound(from, min(160, to-from)))
		time.Sleep(20 * time.Millisecond)
	}
}

// hush writes n samples of silence in real time.
func hush(s *Stream, n int) {
	for ; n > 0; n -= 160 {
		s.Write(silence(min(160, n)))
		time.Sleep(20 * time.Millisecond)
	}
}

// collect reads messages until the end, and returns them and the error.
func collect(s *Stream) (messages []Message, err error) {
	for {
		m, err := s.Next(context.Background())
		if err != nil {
			return messages, err
		}
		messages = append(messages, m)
	}
}

// gather reads messages in the background; the result waits for the end.
func gather(s *Stream) func() ([]Message, error) {
	var messages []Message
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		messages, err = collect(s)
	}()
	return func() ([]Message, error) { <-done; return messages, err }
}

// finals picks the final results.
func finals(messages []Message) (r []*Results) {
	for _, m := range messages {
		if m, ok := m.(*Results); ok && m.IsFinal {
			r = append(r, m)
		}
	}
	return r
}

// troubles lists the reports of trouble, as "cause down? backlog" and the time of the report.
func troubles(messages []Message) (t []string) {
	for _, m := range messages {
		switch m := m.(type) {
		case *Degraded:
			what := "degraded"
			if m.Down {
				what = "down"
			}
			t = append(t, fmt.Sprintf("%s %s %v", what, m.Cause, m.Backlog))
		case *Recovered:
			t = append(t, fmt.Sprintf("recovered %s %v", m.Cause, m.Backlog))
		}
	}
	return t
}

func gaps(messages []Message) (g []*Gap) {
	for _, m := range messages {
		if m, ok := m.(*Gap); ok {
			g = append(g, m)
		}
	}
	return g
}

func wantEOF(t *testing.T, err error) {
	t.Helper()
	if !errors.Is(err, io.EOF) {
		t.Errorf("got error %v at the end, want io.EOF", err)
	}
}

func samples(d time.Duration) int { return int(d / sampleTime) }

// list shows what pointers hide.
func list[T any](pointers []*T) (values []T) {
	for _, p := range pointers {
		values = append(values, *p)
	}
	return values
}
