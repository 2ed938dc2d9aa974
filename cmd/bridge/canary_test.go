package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	fiberlog "github.com/gofiber/fiber/v2/log"
	"github.com/gorilla/websocket"

	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks"
)

// canary is what all peers write wherever they can. Where an identifier is expected it is followed by a character that identifiers
// do not have.
const canary = "kanari9"

// A logBuffer is a log that is written concurrently.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// No line of the log, at any level, holds what callers say or what carriers, strangers, recognizers, webhooks, speech services and
// the carrier's API write.
func TestTheLogHoldsNoForeignText(t *testing.T) {
	w := newCanaryWorld(t)
	var calls sync.WaitGroup
	for i := range 12 {
		calls.Go(func() { w.call(t, i) })
	}
	calls.Wait()
	w.strangers(t)
	w.malformed(t)
	w.reach(t, "answers of the webhook", &w.answered, int64(len(canaryAnswers))+3)
	w.reach(t, "failed actions", &w.failed, 5)
	if err := w.stop(); err != nil {
		t.Logf("the server says: %v", err) // the webhook does not take every event
	}
	text := w.log.String()
	for line := range strings.Lines(text) {
		if strings.Contains(strings.ToLower(line), canary) {
			t.Errorf("foreign text: %s", line)
		}
	}
	for _, line := range []string{"call started", "cannot be reached", "connection lost", "reported an error", "message skipped", "webhook attempt failed",
		"action failed:", "stream refused", "request refused", "before a usable start", "a library has logged"} {
		if !strings.Contains(text, line) {
			t.Errorf("no line says %q: not all was tried", line)
		}
	}
	if t.Failed() {
		t.Logf("the log:\n%s", text)
	}
}

// A canaryWorld is a bridge all of whose peers misbehave.
type canaryWorld struct {
	server           *server
	log              *logBuffer
	stop             func() error
	answered, failed atomic.Int64
	ended            chan struct{} // gets one for each stream that is over
}

func newCanaryWorld(t *testing.T) *canaryWorld {
	w := &canaryWorld{log: &logBuffer{}, ended: make(chan struct{}, 100)}
	logger := newLogger("debug", "json", w.log)
	catchLibraries(logger)
	t.Cleanup(func() {
		log.SetOutput(io.Discard) // what is left of this test
		fiberlog.SetOutput(io.Discard)
	})
	o := options{
		Listen: "127.0.0.1:0", MaxCalls: 1000, Grace: 2 * time.Second, DataDir: t.TempDir(), WebhookURL: rawServer(t, w.answer),
		TwilioAccountSID: "AC0", TwilioAPIURL: textServer(t, 400, `{"code":21220,"message":"`+canary+`"}`),
		Voice: voiceOptions{Engine: "openai", URL: textServer(t, 500, `{"error":{"message":"`+canary+`"}}`)},
		Aldea: aldeaOptions{URL: strangeRecognizer(t), SampleRate: 16000, Language: "en", Endpointing: "300", Chunk: 60 * time.Millisecond},
	}
	parsed, err := webhooks.ParseSecrets(secretA)
	if err != nil {
		t.Fatal(err)
	}
	o.secrets.aldeaKey, o.secrets.webhook = "org_test", parsed
	o.secrets.twilioKey, o.TwilioAPIKey = "secret", "SK0"
	w.server, err = newServer(o, hooks{event: w.event}, logger)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	stopped := make(chan error, 1)
	go func() { stopped <- w.server.run(ctx) }()
	w.stop = sync.OnceValue(func() error {
		cancel()
		return <-stopped
	})
	t.Cleanup(func() { _ = w.stop() })
	return w
}

// event counts what the test waits for.
func (w *canaryWorld) event(e events.Event) {
	switch e.Body.Type() {
	case events.TypeCallEnded:
		w.ended <- struct{}{}
	case events.TypeActionFailed:
		w.failed.Add(1)
	}
}

// reach waits until a count is reached.
func (w *canaryWorld) reach(t *testing.T, what string, count *atomic.Int64, want int64) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(guard); count.Load() < want; <-tick.C {
		if time.Now().After(end) {
			t.Fatalf("only %d %s, want %d", count.Load(), what, want)
		}
	}
}

// textServer answers every request with a status and a text.
func textServer(t *testing.T, status int, text string) string {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-"+canary, canary)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// strangeRecognizer fails each connection in another way, with the canary in all that it says.
func strangeRecognizer(t *testing.T) string {
	var n atomic.Int64
	upgrader := websocket.Upgrader{Subprotocols: []string{"token", "bearer"}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i := n.Add(1)
		header := http.Header{"Dg-Request-Id": {canary + " !"}, "Dg-Error": {canary}}
		if i%3 == 0 {
			for name, values := range header {
				w.Header()[name] = values
			}
			w.Header().Set("Location", "http://"+canary+".example/")
			w.WriteHeader([]int{400, 503, 401, 302, 429}[i/3%5])
			fmt.Fprintf(w, `{"error":"%s","request_id":"%[1]s !","err_msg":"%[1]s"}`, canary)
			return
		}
		conn, err := upgrader.Upgrade(w, r, header)
		if err != nil {
			return
		}
		defer conn.Close()
		for _, text := range []string{
			`{"type":"Metadata","request_id":"` + canary + ` !"}`,
			`{"type":"Error","variant":"` + canary + `","message":"` + canary + `","description":"` + canary + `"}`,
			`{"type":"` + canary + `"}`, `{` + canary, `{"type":"Results","channel":"` + canary + `"}`, `{"type":"UtteranceEnd","last_word_end":"` + canary + `"}`,
			`{"type":"Results","start":0,"duration":0.1,"is_final":true,"speech_final":true,"channel":{"alternatives":[{"transcript":"` + canary +
				`","confidence":0.9,"words":[["` + canary + `",0,100]]}]}}`,
		} {
			if conn.WriteMessage(websocket.TextMessage, []byte(text)) != nil {
				return
			}
		}
		frame := websocket.FormatCloseMessage([]int{1011, 1008, 1013, 4000, 1000}[i%5], canary)
		_ = conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second))
	}))
	t.Cleanup(s.Close)
	return strings.Replace(s.URL, "http", "ws", 1)
}

// canaryAnswers are what the webhook answers, byte by byte, in turn. Actions come more often than failures, so that the endpoint is
// not held back.
var canaryAnswers = []string{
	ok(`{"actions":[{"type":"` + canary + `"}]}`),
	ok(`{"actions":[{"type":"say","` + canary + `":1}]}`),
	"HTTP/1.1 500 " + canary + "\r\nContent-Length: 7\r\n\r\n" + canary,
	ok(`{"actions":[{"type":"say","text":"` + canary + `"},{"type":"play","url":"https://` + canary + `.invalid/` + canary + `"}]}`),
	ok(`{"actions":[{"type":"twiml","twiml":"<Response><Say>` + canary + `</Say></Response>"},{"type":"redirect","url":"https://example.com/` + canary + `"}]}`),
	ok(`{"actions":[{"type":"say","id":"` + canary + ` !","text":"` + canary + `"}]}`),
	ok(`{"actions":[{"type":"play","audio":"` + canary + `"}]}`),
	"HTTP/1.1 302 Found\r\nLocation: https://" + canary + ".example/" + canary + "\r\nContent-Length: 0\r\n\r\n",
	ok(`{"actions":[{"type":"twiml","twiml":"<` + canary + `>"},{"type":"twiml","twiml":"<Response><Play>` + canary + `</Play></Response>"}]}`),
	ok(`{"actions":[{"type":"listen","language":"` + canary + `"},{"type":"listen","keywords":["` + canary + `"]}]}`),
	canary + "\r\n\r\n",
	ok(`{"actions":[{"type":"transfer","to":"` + canary + `"}]}`),
	ok(`{"actions":[{"type":"listen","keywords":["` + canary + `"]},{"type":"transfer","to":"sip:` + canary + `@example.com"}]}`),
	ok(canary),
	"HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n",
	ok(`{"actions":[{"type":"say","text":"x","voice":"` + canary + `","language":"` + canary + `"}]}`),
	"HTTP/1.1 200 OK\r\nContent-Encoding: " + canary + "\r\nContent-Length: 7\r\n\r\n" + canary,
	ok(`{"`+canary+`":1}`) + "HTTP/1.1 400 " + canary + "\r\n\r\n", // more than was asked for
	"HTTP/1.1 429 " + canary + "\r\nRetry-After: " + canary + "\r\nContent-Length: 0\r\n\r\n",
	ok(`{"actions":[{"type":"hangup","` + canary + `":"` + canary + `"},{"type":"clear"}]}`),
}

// ok is a good answer with a body.
func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// answer returns the next answer of the webhook.
func (w *canaryWorld) answer() string {
	return canaryAnswers[int(w.answered.Add(1)-1)%len(canaryAnswers)]
}

// rawServer answers each request with bytes that need not be HTTP.
func rawServer(t *testing.T, answer func() string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for r := bufio.NewReader(conn); ; {
					req, err := http.ReadRequest(r)
					if err != nil {
						return
					}
					_, _ = io.Copy(io.Discard, req.Body)
					text := answer()
					if _, err := io.WriteString(conn, text); err != nil || !strings.HasPrefix(text, "HTTP/1.1 200 OK\r\nContent-Type") {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/" + canary + "?" + canary
}

// call makes a call that says, presses and carries the canary, and waits for its end.
func (w *canaryWorld) call(t *testing.T, i int) {
	t.Helper()
	c := &mediatest.Call{
		URL: w.server.mediaURL() + "?" + canary, CallSID: fmt.Sprintf("CA%d", i), StreamSID: fmt.Sprintf("MZ%d", i), AccountSID: canary + " !",
		From: canary, To: canary, Params: map[string]string{canary: canary, "direction": canary}, Header: http.Header{"X-Note": {canary}},
		Inbound: say("x"), DTMF: []mediatest.Digit{{At: 0, Digit: "1"}},
	}
	if i%4 == 0 {
		c.CallSID, c.StreamSID = fmt.Sprintf("%s %d", canary, i), fmt.Sprintf("%s !%d", canary, i)
	}
	if _, err := c.Run(t.Context()); err != nil {
		t.Error(err)
		return
	}
	select {
	case <-w.ended:
	case <-time.After(guard):
		t.Error("the call did not end")
	}
}

// strangers asks for everything with the canary in it.
func (w *canaryWorld) strangers(t *testing.T) {
	t.Helper()
	base := "http://" + w.server.listener.Addr().String()
	for _, path := range []string{
		"/" + canary, "/media/twilio/" + canary, "/media/" + canary, "/v1/calls/" + canary, "/v1/calls/" + canary + "/transcript?format=" + canary,
		"/v1/calls?state=" + canary + "&day=" + canary, "/v1/search?q=" + canary + "&cursor=" + canary, "/v1/search?q=%22" + canary, "/v1/search?q=%00" + canary,
		"/v1/deliveries?state=" + canary, "/v1/deliveries/" + canary, "/v1/events?after=" + canary, "/metrics?" + canary, "/readyz?" + canary,
		"/voice/" + canary, "/%zz" + canary, "/v1/" + canary,
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodDelete} {
			w.ask(t, method, base, path, `{"`+canary+`":"`+canary+`","actions":[{"type":"`+canary+`"}],"endpoint":"`+canary+`"}`)
		}
	}
	for _, body := range []string{"CallSid=" + canary + "%20&From=" + canary, "%zz" + canary, canary} {
		w.ask(t, http.MethodPost, base, "/voice/twilio", body)
		w.ask(t, http.MethodPost, base, "/v1/calls/CA1/actions", body)
		w.ask(t, http.MethodPost, base, "/v1/redeliver", body)
	}
}

// ask sends a request by hand: net/http would not send all of them. The answer is read to its end, or for a moment: it may be a stream.
func (w *canaryWorld) ask(t *testing.T, method, base, path, body string) {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nX-%s: %[4]s\r\nUser-Agent: %[4]s\r\nX-Twilio-Signature: %[4]s\r\nContent-Type: application/json\r\n"+
		"Connection: close\r\nContent-Length: %d\r\n\r\n%s", method, path, u.Host, canary, len(body), body)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	_ = resp.Body.Close()
}

// malformed opens streams that are none, or of a format that is not spoken.
func (w *canaryWorld) malformed(t *testing.T) {
	t.Helper()
	for _, messages := range [][]string{
		{canary}, {`{"event":"` + canary + `"}`}, {`{"event":"start","start":{"callSid":"` + canary + `\u0000"}}`},
		{`{"event":"start","start":{"callSid":"CA1","streamSid":"` + canary + ` !","mediaFormat":{"encoding":"` + canary + `","sampleRate":"` + canary + `"}}}`},
		{`{"event":"start","start":{"callSid":"` + canary + ` !","streamSid":"MZ1","customParameters":{"bridge_token":"` + canary + `"}}}`},
		{"[" + canary, `{"event":"media","media":{"payload":"` + canary + `!"}}`},
	} {
		conn, resp, err := websocket.DefaultDialer.DialContext(t.Context(), w.server.mediaURL(), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		for _, m := range messages {
			if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
				t.Fatal(err)
			}
		}
		frame := websocket.FormatCloseMessage(1000, canary)
		_ = conn.WriteControl(websocket.CloseMessage, frame, time.Now().Add(time.Second))
		for err == nil { // up to the server's close frame
			_, _, err = conn.ReadMessage()
		}
		_ = conn.Close()
	}
}
