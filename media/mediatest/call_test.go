package mediatest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gorilla/websocket"
)

const guard = 20 * time.Second

// A server is a media server in memory that keeps every message and runs a script.
type server struct {
	http     http.Server
	conns    chan net.Conn
	mu       sync.Mutex
	messages []map[string]any
	header   http.Header
	ended    error // how the connection ended
}

// newServer starts a server inside a synctest bubble; the test must close it.
func newServer(serve func(*server, *websocket.Conn)) *server {
	s := &server{conns: make(chan net.Conn)}
	s.http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.header = r.Header
		up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		if serve != nil {
			serve(s, conn)
		}
		err = s.readAll(conn)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.ended = err
	})
	go func() { _ = s.http.Serve(s) }()
	return s
}

// Accept, Close and Addr make the server its own listener.
func (s *server) Accept() (net.Conn, error) {
	c, ok := <-s.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (s *server) Close() error   { return nil }
func (s *server) Addr() net.Addr { return &net.TCPAddr{} }

// stop ends the server's goroutine.
func (s *server) stop() {
	close(s.conns)
	_ = s.http.Close()
}

// dial is Call.Dial.
func (s *server) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	s.conns <- ours
	return theirs, nil
}

// run runs a call against a server in simulated time.
func run(t *testing.T, call *Call, serve func(*server, *websocket.Conn)) (s *server, result Result) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s = newServer(serve)
		defer s.stop()
		call.URL, call.Dial = "ws://bridge.example/media/twilio", s.dial
		var err error
		if result, err = call.Run(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
	})
	return s, result
}

func (s *server) readAll(conn *websocket.Conn) error {
	for {
		if _, err := s.read(conn); err != nil {
			return err
		}
	}
}

func (s *server) read(conn *websocket.Conn) (map[string]any, error) {
	_, b, err := conn.ReadMessage()
	if err != nil {
		return nil, err
	}
	var m map[string]any
	if err := json.Unmarshal(b, &m); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.messages = append(s.messages, m)
	return m, nil
}

// events are the events received, with runs of one put together.
func (s *server) events() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var events []string
	for _, m := range s.messages {
		if e := m["event"].(string); len(events) == 0 || events[len(events)-1] != e {
			events = append(events, e)
		}
	}
	return strings.Join(events, " ")
}

func TestTheWireIsTwilios(t *testing.T) {
	call := Call{
		CallSID: "CA1", StreamSID: "MZ1", AccountSID: "AC1", From: "+1", To: "+2", Params: map[string]string{"k": "v"},
		Inbound: []byte(strings.Repeat("a", 320)), Outbound: []byte(strings.Repeat("b", 200)),
		Clock: time.Second, DTMF: []Digit{{30 * ms, "#"}},
	}
	s, result := run(t, &call, nil)
	if !websocket.IsCloseError(s.ended, 1000) {
		t.Errorf("the connection ended with %v, want a close frame with 1000", s.ended)
	}
	want := `[
		{"event":"connected","protocol":"Call","version":"1.0.0"},
		{"event":"start","sequenceNumber":"1","streamSid":"MZ1","start":{"accountSid":"AC1","streamSid":"MZ1","callSid":"CA1","tracks":["inbound","outbound"],
			"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{"k":"v","from":"+1","to":"+2"}}},
		{"event":"media","sequenceNumber":"2","streamSid":"MZ1","media":{"track":"inbound","chunk":"1","timestamp":"1000","payload":"A"}},
		{"event":"media","sequenceNumber":"3","streamSid":"MZ1","media":{"track":"outbound","chunk":"1","timestamp":"1000","payload":"B"}},
		{"event":"dtmf","sequenceNumber":"4","streamSid":"MZ1","dtmf":{"track":"inbound_track","digit":"#"}},
		{"event":"media","sequenceNumber":"5","streamSid":"MZ1","media":{"track":"inbound","chunk":"2","timestamp":"1020","payload":"A"}},
		{"event":"media","sequenceNumber":"6","streamSid":"MZ1","media":{"track":"outbound","chunk":"2","timestamp":"1020","payload":"C"}},
		{"event":"stop","sequenceNumber":"7","streamSid":"MZ1","stop":{"accountSid":"AC1","callSid":"CA1"}}
	]`
	for letter, payload := range map[string]string{
		"A": strings.Repeat("a", 160), "B": strings.Repeat("b", 160), "C": strings.Repeat("b", 40) + strings.Repeat("\xff", 120),
	} {
		want = strings.ReplaceAll(want, `"`+letter+`"`, `"`+base64.StdEncoding.EncodeToString([]byte(payload))+`"`)
	}
	if got, want := compact(t, s.messages), compact(t, json.RawMessage(want)); got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
	for _, name := range []string{"Origin", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions"} {
		if got := s.header.Get(name); got != "" {
			t.Errorf("%s: got %q, want none", name, got)
		}
	}
	if result.Frames != 4 || result.Digits != 1 || result.CallSID != "CA1" || result.StreamSID != "MZ1" || result.CloseCode != 1000 {
		t.Errorf("result: got %+v", result)
	}
}

func compact(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	var plain any
	if err := json.Unmarshal(b, &plain); err != nil {
		t.Fatal(err)
	}
	b, _ = json.Marshal(plain)
	return string(b)
}

func TestHangingUp(t *testing.T) {
	for _, c := range []struct {
		name   string
		way    HangUp
		events string
		code   int // of the close frame the server sees
	}{
		{"stop", Stop, "connected start media stop", 1000},
		{"close", Close, "connected start media", 1000},
		{"cut", Cut, "connected start media", 1006},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := run(t, &Call{Hold: 40 * ms, HangUp: c.way}, nil)
			if !websocket.IsCloseError(s.ended, c.code) {
				t.Errorf("got %v, want %d", s.ended, c.code)
			}
			if got := s.events(); got != c.events {
				t.Errorf("got %q, want %q", got, c.events)
			}
		})
	}
}

func TestASilentCarrierStaysUntilTheServerLeaves(t *testing.T) {
	_, result := run(t, &Call{Hold: 40 * ms, HangUp: Silent}, func(s *server, conn *websocket.Conn) {
		for range 4 { // connected, start and two frames
			if _, err := s.read(conn); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute)
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, "idle"), time.Now().Add(guard))
	})
	if result.CloseCode != 1000 || result.CloseReason != "idle" || result.ByServer {
		t.Errorf("got %+v, want the server's close frame", result)
	}
}

func TestTheServerMayHangUp(t *testing.T) {
	_, result := run(t, &Call{Hold: time.Hour}, func(_ *server, conn *websocket.Conn) {
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "bye"), time.Now().Add(guard))
	})
	if !result.ByServer || result.CloseCode != 1001 {
		t.Errorf("got %+v, want the end by the server with 1001", result)
	}
}

func TestTheEndOfTheContextHangsUp(t *testing.T) {
	for _, way := range []HangUp{Stop, Silent} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(nil)
			defer s.stop()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			call := Call{URL: "ws://bridge.example/", Dial: s.dial, Hold: time.Hour, HangUp: way}
			if _, err := call.Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
			}
			synctest.Wait()
			if s.ended == nil {
				t.Error("the connection did not end")
			}
		})
	}
}

func TestARefusalSaysWhy(t *testing.T) {
	for _, c := range []struct{ body, want string }{
		{`{"type":"about:blank","detail":"the token is wrong"}`, "the token is wrong"},
		{`go away`, "go away"},
	} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusForbidden)
			_, _ = w.Write([]byte(c.body))
		}))
		_, err := (&Call{URL: strings.Replace(s.URL, "http", "ws", 1)}).Run(context.Background())
		s.Close()
		var refused *HandshakeError
		if !errors.As(err, &refused) || refused.Status != 403 || refused.Detail != c.want {
			t.Errorf("got %v, want 403 and %q", err, c.want)
		}
	}
}

func TestTheUpgradeIsSignedForThePublicURL(t *testing.T) {
	for _, c := range []struct{ url, public, want string }{
		{"ws://127.0.0.1:8080/media/twilio", "https://b.example", "wss://b.example/media/twilio"},
		{"ws://127.0.0.1:8080/media", "https://b.example:8443/base/", "wss://b.example/base/media"},
		{"ws://127.0.0.1:8080/media", "", "ws://127.0.0.1:8080/media"},
		{"wss://b.example:443/media", "", "wss://b.example/media"},
	} {
		got, err := (&Call{URL: c.url, PublicURL: c.public}).signedURL()
		if err != nil || got != c.want {
			t.Errorf("%s as %s: got %s, %v, want %s", c.url, c.public, got, err, c.want)
		}
	}
	if got, want := Sign("12345", "wss://media.example.com/twilio", nil), "0p9HGYJybIvZY5ER6AdY/msz2PI="; got != want {
		t.Errorf("signature: got %s, want %s", got, want)
	}
}

func TestMarksComeBackWhenTheirAudioHasBeenPlayed(t *testing.T) {
	audio := base64.StdEncoding.EncodeToString(make([]byte, 8000))
	s, result := run(t, &Call{StreamSID: "MZ1", Hold: 2 * time.Second}, func(_ *server, conn *websocket.Conn) {
		for _, m := range []string{
			`{"event":"media","streamSid":"MZ1","media":{"payload":"` + audio + `"}}`,
			`{"event":"mark","streamSid":"MZ1","mark":{"name":"one"}}`,
			`{"event":"media","streamSid":"another","media":{"payload":"` + audio + `"}}`,
			`rubbish`,
		} {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(m))
		}
	})
	if result.MediaBytes != 8000 || result.Marks != 1 || result.Echoed != 1 || result.Unreadable != 2 {
		t.Errorf("result: got %+v, want one second of audio, one mark and two unreadable messages", result)
	}
	if got, want := s.events(), "connected start media mark media stop"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// connected, start, the 49 frames that have left before one second, and then the mark
	if got := s.messages[51]["event"]; got != "mark" {
		t.Errorf("after one second: got %v, want the mark", got)
	}
}

func TestProgressAndSentTellWhatHasLeft(t *testing.T) {
	for _, speed := range []float64{0, 1, 10, 0.5} {
		var offsets, progress []time.Duration
		var late time.Duration
		var began time.Time
		call := Call{Inbound: make([]byte, 2400), Speed: speed}
		real := max(speed, 1)
		if speed == 0.5 {
			real = speed
		}
		call.Sent = func(_ Track, offset time.Duration, at time.Time) {
			if began.IsZero() {
				began = at.Add(-time.Duration(float64(20*ms) / real))
			}
			offsets = append(offsets, offset)
			late = max(late, at.Sub(began)-time.Duration(float64(offset+20*ms)/real))
		}
		call.Progress = func(sent, total time.Duration) { progress = append(progress, sent, total) }
		_, result := run(t, &call, nil)
		if len(offsets) != 15 || offsets[14] != 280*ms {
			t.Errorf("sent: got %v, want 15 frames up to 280ms", offsets)
		}
		if late != 0 {
			t.Errorf("speed %v: frames left up to %v late", speed, late)
		}
		want := []time.Duration{100 * ms, 300 * ms, 200 * ms, 300 * ms, 300 * ms, 300 * ms}
		if !slices.Equal(progress, want) {
			t.Errorf("progress: got %v, want %v", progress, want)
		}
		if got, want := result.HungUp.Sub(result.Began), time.Duration(float64(300*ms)/real); got != want {
			t.Errorf("speed %v: 300 ms took %v, want %v", speed, got, want)
		}
	}
}

func TestALiveCallerSpeaksInTheHold(t *testing.T) {
	says := []string{strings.Repeat("b", 160), strings.Repeat("c", 80), ""}
	call := &Call{Inbound: audio("a", 20*ms), Hold: 60 * ms, Live: func(n int) []byte {
		said := says[0]
		says = says[1:]
		return []byte(said)[:min(n, len(said))]
	}}
	s, _ := run(t, call, nil)
	var all []byte
	for _, m := range s.messages {
		if media, ok := m["media"].(map[string]any); ok {
			b, err := base64.StdEncoding.DecodeString(media["payload"].(string))
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, b...)
		}
	}
	if got, want := heard(all), "a20 b20 c10 -30"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
