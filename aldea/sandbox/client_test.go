package sandbox_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// guard is how long a test waits for what should come at once.
const guard = time.Minute

// client is a WebSocket client that shares no code with the project's own.
type client struct {
	t    *testing.T
	conn *websocket.Conn
	resp *http.Response
	rate int
}

// message is any message of the server, as generic JSON.
type message map[string]any

func (m message) kind() string { return m["type"].(string) }
func (m message) flag(name string) bool {
	v, _ := m[name].(bool)
	return v
}
func (m message) number(name string) float64 { return m[name].(float64) }
func (m message) alternative() message {
	return m["channel"].(map[string]any)["alternatives"].([]any)[0].(map[string]any)
}
func (m message) text() string   { return m.alternative()["transcript"].(string) }
func (m message) words() []any   { return m.alternative()["words"].([]any) }
func (m message) start() float64 { return m.number("start") }
func (m message) end() float64   { return m.number("start") + m.number("duration") }

// try dials and returns the connection or the refusal.
func try(srv *sandbox.Server, path, query string, header http.Header) (*websocket.Conn, *http.Response, error) {
	d := websocket.Dialer{NetDialContext: srv.Dial, HandshakeTimeout: guard}
	return d.Dial(srv.URL+path+"?"+query, header)
}

func key(k string) http.Header { return http.Header{"Authorization": {"Bearer " + k}} }

// dial opens a stream of linear16 at 8000 Hz; query adds to or replaces that.
func dial(t *testing.T, srv *sandbox.Server, query string) *client {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	if !values.Has("encoding") {
		values.Set("encoding", "linear16")
	}
	if !values.Has("sample_rate") {
		values.Set("sample_rate", "8000")
	}
	conn, resp, err := try(srv, "/v1/listen", values.Encode(), key("org_test"))
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, body(resp))
	}
	resp.Body.Close()
	t.Cleanup(func() { conn.Close() })
	return &client{t: t, conn: conn, resp: resp, rate: 8000}
}

func body(resp *http.Response) string {
	if resp == nil {
		return "no response"
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return string(b)
}

func (c *client) binary(b []byte) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.BinaryMessage, b); err != nil {
		c.t.Fatalf("send audio: %v", err)
	}
}

func (c *client) text(s string) {
	c.t.Helper()
	if err := c.conn.WriteMessage(websocket.TextMessage, []byte(s)); err != nil {
		c.t.Fatalf("send %s: %v", s, err)
	}
}

func (c *client) control(kind string) {
	c.t.Helper()
	c.text(`{"type":"` + kind + `"}`)
}

// audio sends samples in frames of 20 ms.
func (c *client) audio(samples []int16) {
	c.t.Helper()
	b := bytes16(samples)
	for size := c.rate / 50 * 2; len(b) > 0; {
		n := min(size, len(b))
		c.binary(b[:n])
		b = b[n:]
	}
}

func (c *client) silence(d time.Duration) { c.t.Helper(); c.audio(silence(d, c.rate)) }

// next reads one message.
func (c *client) next() (message, error) {
	_ = c.conn.SetReadDeadline(time.Now().Add(guard))
	_, b, err := c.conn.ReadMessage()
	if err != nil {
		return nil, err
	}
	var m message
	if err := json.Unmarshal(b, &m); err != nil {
		c.t.Fatalf("server sent no JSON: %v: %s", err, b)
	}
	return m, nil
}

// rest reads until the connection ends and returns the messages and the end.
func (c *client) rest() ([]message, error) {
	var all []message
	for {
		m, err := c.next()
		if err != nil {
			return all, err
		}
		all = append(all, m)
	}
}

// until reads until a message satisfies the condition, and returns all up to it.
func (c *client) until(ok func(message) bool) []message {
	c.t.Helper()
	var all []message
	for {
		m, err := c.next()
		if err != nil {
			c.t.Fatalf("the connection ended early: %v after %v", err, all)
		}
		if all = append(all, m); ok(m) {
			return all
		}
	}
}

// bye sends CloseStream and reads the rest; the close code must be 1000.
func (c *client) bye() []message {
	c.t.Helper()
	c.control("CloseStream")
	all, err := c.rest()
	wantClose(c.t, err, websocket.CloseNormalClosure)
	return all
}

// wantClose checks how a connection ended, and returns the reason.
func wantClose(t *testing.T, err error, code int) (reason string) {
	t.Helper()
	var closed *websocket.CloseError
	if !errors.As(err, &closed) || closed.Code != code {
		t.Fatalf("connection ended with %v, want close code %d", err, code)
	}
	return closed.Text
}

// of picks messages of a type.
func of(all []message, kind string) []message {
	var some []message
	for _, m := range all {
		if m.kind() == kind {
			some = append(some, m)
		}
	}
	return some
}

func finals(all []message) []message {
	var some []message
	for _, m := range of(all, "Results") {
		if m.flag("is_final") {
			some = append(some, m)
		}
	}
	return some
}

func interims(all []message) []message {
	var some []message
	for _, m := range of(all, "Results") {
		if !m.flag("is_final") {
			some = append(some, m)
		}
	}
	return some
}

func texts(all []message) string {
	var some []string
	for _, m := range all {
		some = append(some, m.text())
	}
	return strings.Join(some, " / ")
}

func bytes16(samples []int16) []byte {
	b := make([]byte, 0, 2*len(samples))
	for _, s := range samples {
		b = append(b, byte(s), byte(uint16(s)>>8))
	}
	return b
}

func silence(d time.Duration, rate int) []int16 {
	return make([]int16, int(d.Seconds()*float64(rate)))
}

// hum is a voice as far as an energy detector can tell: a buzz whose loudness beats four times a second.
func hum(d time.Duration, rate int, level float64) []int16 {
	samples := make([]int16, int(d.Seconds()*float64(rate)))
	for i := range samples {
		t := float64(i) / float64(rate)
		beat := 0.5 - 0.5*math.Cos(2*math.Pi*4*t)
		samples[i] = int16(level * beat * 32767 * math.Sin(2*math.Pi*300*t))
	}
	return samples
}

// waitFor waits for the server's memory to satisfy a condition on its newest connection.
func waitFor(t *testing.T, srv *sandbox.Server, ok func(sandbox.Connection) bool) sandbox.Connection {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	var last sandbox.Connection
	err := srv.WaitFor(ctx, func(all []sandbox.Connection) bool {
		if len(all) == 0 {
			return false
		}
		last = all[len(all)-1]
		return ok(last)
	})
	if err != nil {
		t.Fatalf("waiting for the server: %v; last %+v", err, last)
	}
	return last
}

func ended(c sandbox.Connection) bool {
	return !c.Open && c.Status == http.StatusSwitchingProtocols && c.ClosedBy != ""
}
