package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// hello is the script of most tests: two words, a pause, two words.
func hello() sandbox.Source {
	return sandbox.Script(
		sandbox.Line{Start: 100 * time.Millisecond, End: 700 * time.Millisecond, Text: "hello world"},
		sandbox.Line{Start: 2 * time.Second, End: 2600 * time.Millisecond, Text: "good bye"},
	)
}

func serve(t *testing.T, opts sandbox.Options) *sandbox.Server {
	t.Helper()
	if opts.Source == nil {
		opts.Source = hello()
	}
	srv := sandbox.New(opts)
	t.Cleanup(func() { _ = srv.Close() })
	return srv
}

// request is a plain HTTP request; it returns status, body and headers.
func request(t *testing.T, srv *sandbox.Server, method, path string, header http.Header, content string) (int, string, http.Header) {
	t.Helper()
	r, err := http.NewRequest(method, "http"+strings.TrimPrefix(srv.URL, "ws")+path, strings.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	transport := &http.Transport{DisableKeepAlives: true}
	resp, err := (&http.Client{Transport: transport, Timeout: guard}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b), resp.Header
}

func TestServesTheServicesPathsAndNoOthers(t *testing.T) { // S1
	srv := serve(t, sandbox.Options{})
	for _, path := range []string{"/v1/listen", "/v1/listen/pcm"} {
		conn, resp, err := try(srv, path, "", key("org_a"))
		if err != nil {
			t.Errorf("stream at %s: %v", path, err)
			continue
		}
		resp.Body.Close()
		conn.Close()
	}
	audio := string(bytes16(silence(time.Second, 16000)))
	for _, path := range []string{"/v1/listen", "/v1/listen/media", "/v1/listen/media/transcribe", "/v1/listen/media/transcribe_file"} {
		if status, text, _ := request(t, srv, "POST", path, key("org_a"), audio); status != 200 || !strings.Contains(text, "hello world") {
			t.Errorf("POST %s: got %d %s, want 200 and the script", path, status, text)
		}
	}
	for _, p := range []struct{ method, path string }{{"GET", "/"}, {"GET", "/v1/listen"}, {"POST", "/v1/listen/pcm"}, {"PUT", "/v1/listen"}, {"GET", "/v1/speak"}} {
		status, text, _ := request(t, srv, p.method, p.path, key("org_a"), "")
		var refusal struct {
			Error     string `json:"error"`
			RequestID string `json:"request_id"`
		}
		if err := json.Unmarshal([]byte(text), &refusal); status != 404 || err != nil || refusal.Error == "" || refusal.RequestID == "" {
			t.Errorf("%s %s: got %d %q, want 404 with error and request_id", p.method, p.path, status, text)
		}
	}
}

func TestAcceptsEveryDocumentedFormOfKey(t *testing.T) { // S2
	srv := serve(t, sandbox.Options{})
	named := serve(t, sandbox.Options{Keys: []string{"org_right", "odd"}})
	protocol := func(s string) http.Header { return http.Header{"Sec-WebSocket-Protocol": {s}} }
	for _, c := range []struct {
		name   string
		srv    *sandbox.Server
		header http.Header
		status int
		echo   string
	}{
		{"subprotocol token", srv, protocol("token, org_a"), 101, "token"},
		{"subprotocol without space", srv, protocol("token,org_a"), 101, "token"},
		{"subprotocol bearer", srv, protocol("bearer, org_a"), 101, "bearer"},
		{"header Bearer", srv, key("org_a"), 101, ""},
		{"header Token", srv, http.Header{"Authorization": {"Token org_a"}}, 101, ""},
		{"header in small letters", srv, http.Header{"Authorization": {"bearer org_a"}}, 101, ""},
		{"no key", srv, nil, 401, ""},
		{"not org_", srv, key("sk_a"), 401, ""},
		{"only org_", srv, key("org_"), 401, ""},
		{"subprotocol without key", srv, protocol("token"), 401, ""},
		{"header Basic", srv, http.Header{"Authorization": {"Basic org_a"}}, 401, ""},
		{"listed key", named, key("org_right"), 101, ""},
		{"listed key of another form", named, key("odd"), 101, ""},
		{"key that is not listed", named, key("org_wrong"), 401, ""},
	} {
		conn, resp, err := try(c.srv, "/v1/listen", "", c.header)
		if resp == nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if got := resp.Header.Get("Sec-WebSocket-Protocol"); resp.StatusCode != c.status || got != c.echo {
			t.Errorf("%s: got status %d echo %q, want %d %q", c.name, resp.StatusCode, got, c.status, c.echo)
		}
		if text := body(resp); c.status == 401 && (!strings.HasPrefix(text, `{"error":"`) || !strings.Contains(text, `"request_id":"`)) {
			t.Errorf("%s: got body %s, want error and request_id", c.name, text)
		}
		if conn != nil {
			conn.Close()
		}
	}
}

func TestReadsParametersAndTheirAliases(t *testing.T) { // S3
	srv := serve(t, sandbox.Options{})
	for _, c := range []struct {
		query  string
		status int
		check  func(sandbox.Params) bool
	}{
		{"", 101, func(p sandbox.Params) bool {
			return p.SampleRate == 16000 && p.Interim && p.Endpointing == 300*time.Millisecond && p.UtteranceEnd == 0 && !p.VADEvents && p.Language == "en" && p.Encoding == ""
		}},
		{"encoding=linear16&sample_rate=8000&interim_results=false", 101, func(p sandbox.Params) bool {
			return p.Encoding == "linear16" && p.SampleRate == 8000 && !p.Interim
		}},
		{"format=pcm&lang=es-ES", 101, func(p sandbox.Params) bool { return p.Encoding == "pcm" && p.Language == "es-es" }},
		{"codec=s16le&language=auto", 101, func(p sandbox.Params) bool { return p.Encoding == "s16le" && p.Language == "auto" }},
		{"endpointing=false", 101, func(p sandbox.Params) bool { return p.Endpointing < 0 }},
		{"endpointing=500&utterance_end_ms=1000&vad_events=true", 101, func(p sandbox.Params) bool {
			return p.Endpointing == 500*time.Millisecond && p.UtteranceEnd == time.Second && p.VADEvents
		}},
		{"keywords=a&keywords=b&redact=pii&redact_mode=mask", 101, func(p sandbox.Params) bool {
			return len(p.Keywords) == 2 && len(p.Redact) == 1 && p.RedactMode == "mask"
		}},
		{"model=general&channels=1&punctuate=true", 101, func(sandbox.Params) bool { return true }},
		{"sample_rate=fast", 400, nil},
		{"sample_rate=10", 400, nil},
		{"sample_rate=1000000", 400, nil},
		{"endpointing=soon", 400, nil},
		{"endpointing=-1", 400, nil},
		{"utterance_end_ms=x", 400, nil},
		{"utterance_end_ms=99999999", 400, nil},
		{"encoding=g729", 400, nil},
		{"encoding=mulaw", 400, nil},
		{"language=de", 400, nil},
		{"interim_results=maybe", 400, nil},
	} {
		conn, resp, err := try(srv, "/v1/listen", c.query, key("org_a"))
		if resp == nil {
			t.Fatalf("%s: %v", c.query, err)
		}
		if resp.StatusCode != c.status {
			t.Errorf("%s: got status %d, want %d: %s", c.query, resp.StatusCode, c.status, body(resp))
		}
		if conn != nil {
			all := srv.Connections()
			if p := all[len(all)-1].Params; c.check == nil || !c.check(p) {
				t.Errorf("%s: got %+v", c.query, p)
			}
			conn.Close()
		}
	}
	lenient := serve(t, sandbox.Options{Lenient: true})
	conn, resp, err := try(lenient, "/v1/listen", "sample_rate=fast&language=de&encoding=g729", key("any"))
	if err != nil {
		t.Fatalf("lenient server: %v", err)
	}
	resp.Body.Close()
	conn.Close()
}

func TestMetadataComesAtOpenInAldeasShape(t *testing.T) { // S5
	srv := serve(t, sandbox.Options{})
	c := dial(t, srv, "")
	_, raw, err := c.conn.ReadMessage()
	if err != nil {
		t.Fatal(err)
	}
	var m message
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	created, _ := m["created"].(string)
	id, _ := m["request_id"].(string)
	want := `{"type":"Metadata","request_id":"` + id + `","created":"` + created + `","duration":0.0,"channels":1,` +
		`"model_info":{"name":"sandbox-script","version":"","arch":"aldea-asr"}}`
	if string(raw) != want {
		t.Errorf("got %s\nwant %s", raw, want)
	}
	if _, err := time.Parse("2006-01-02T15:04:05.000000Z", created); err != nil {
		t.Errorf("created: %v", err)
	}
	c.silence(1200 * time.Millisecond)
	c.control("CloseStream")
	var final string
	for {
		_, raw, err := c.conn.ReadMessage()
		if err != nil {
			break
		}
		final = string(raw)
	}
	want = `{"type":"Results","channel_index":[0],"duration":1.0,"start":0.0,"is_final":true,"speech_final":true,` +
		`"channel":{"alternatives":[{"transcript":"hello world","confidence":0.9900,"words":[["hello",100,400],["world",400,700]]}]},` +
		`"metadata":{"request_id":"` + id + `","model_info":{"name":"sandbox-script","version":null,"arch":"aldea-asr"}}}`
	if final != want {
		t.Errorf("got %s\nwant %s", final, want)
	}
	if other := dial(t, srv, "").until(func(message) bool { return true })[0]["request_id"]; other == id {
		t.Errorf("two streams have the request id %s", id)
	}
}

func TestTimesCountBytesNotSeconds(t *testing.T) { // S6
	srv := serve(t, sandbox.Options{})
	run := func(cuts []int) []string {
		c := dial(t, srv, "vad_events=true&utterance_end_ms=800")
		b := bytes16(silence(4*time.Second, 8000))
		for i := 0; len(b) > 0; i++ {
			n := min(cuts[i%len(cuts)], len(b))
			c.binary(b[:n])
			b = b[n:]
			if i%7 == 0 {
				c.control("KeepAlive") // stops no clock, for there is none
			}
		}
		var all []string
		for _, m := range c.bye() {
			delete(m, "metadata")
			delete(m, "request_id")
			delete(m, "created")
			text, err := json.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		return all
	}
	want := strings.Join(run([]int{320}), "\n")
	for _, cuts := range [][]int{{1}, {64000}, {3, 1601, 2, 777}, {8192}} {
		if cuts[0] == 1 {
			cuts = []int{1, 9999}
		}
		if got := strings.Join(run(cuts), "\n"); got != want {
			t.Errorf("cut into %v: got\n%s\nwant\n%s", cuts, got, want)
		}
	}
	if !strings.Contains(want, `"last_word_end":2.6`) {
		t.Errorf("got %s, want an UtteranceEnd at 2.6 s", want)
	}
}

func TestInterimsGrowAndFinalsAreContiguous(t *testing.T) { // S7
	srv := serve(t, sandbox.Options{Source: sandbox.Script(
		sandbox.Line{Start: 100 * time.Millisecond, End: 900 * time.Millisecond, Text: "go to their", First: "there"},
		sandbox.Say(900*time.Millisecond, "house"), sandbox.Say(2*time.Second, "thank you"))})
	c := dial(t, srv, "")
	c.silence(4 * time.Second)
	all := c.bye()
	wantOrderlyTimes(t, all)
	if got, want := texts(interims(all)), "go / go to / go to there / go to their house / thank / thank you"; got != want {
		t.Errorf("got interims %q, want %q", got, want)
	}
	if got, want := texts(finals(all)), "go to their house / thank you"; got != want {
		t.Errorf("got finals %q, want %q", got, want)
	}
	c = dial(t, srv, "interim_results=false")
	c.silence(4 * time.Second)
	if got := interims(c.bye()); len(got) > 0 {
		t.Errorf("got interims %v though they were switched off", got)
	}
}

func TestSilenceEndsAnUtteranceAndLengthCutsIt(t *testing.T) { // S8
	srv := serve(t, sandbox.Options{Source: sandbox.Script(
		sandbox.Line{Start: 0, End: 15 * time.Second, Text: strings.Repeat("word ", 50)},
		sandbox.Say(20*time.Second, "next"))})
	c := dial(t, srv, "endpointing=500")
	c.silence(22 * time.Second)
	all := finals(c.bye())
	wantOrderlyTimes(t, all)
	if len(all) != 4 {
		t.Fatalf("got %d finals, want 4: %v", len(all), all)
	}
	words := 0
	for i, m := range all {
		if got, want := m.flag("speech_final"), i >= 2; got != want {
			t.Errorf("final %d: got speech_final %v, want %v", i, got, want)
		}
		if d := m.number("duration"); i < 2 && (d < 5 || d > 8.1) {
			t.Errorf("final %d: got a length of %v s, want 5 to 8", i, d)
		}
		words += len(m.words())
	}
	if words != 51 {
		t.Errorf("got %d words, want 51", words)
	}
	if got := all[2].end(); got < 15.49 || got > 15.51 {
		t.Errorf("got the end of speech at %v s, want 15.5", got)
	}
}

func TestEndpointingFalseMakesFinalsOnlyOnRequest(t *testing.T) { // S9
	srv := serve(t, sandbox.Options{Source: sandbox.Script(sandbox.Line{Start: 0, End: 20 * time.Second, Text: strings.Repeat("word ", 60)})})
	c := dial(t, srv, "endpointing=false&interim_results=false")
	c.silence(12 * time.Second)
	c.control("Finalize")
	c.silence(10 * time.Second)
	all := finals(c.bye())
	wantOrderlyTimes(t, all)
	if len(all) != 2 || all[0].end() != 12 || all[1].end() != 22 {
		t.Errorf("got %v, want one final at 12 s and one at 22 s", all)
	}
}

func TestVoiceEventsComeOnlyWhenAskedFor(t *testing.T) { // S10
	srv := serve(t, sandbox.Options{})
	c := dial(t, srv, "vad_events=true&utterance_end_ms=1000")
	c.silence(5 * time.Second)
	all := c.bye()
	var onsets, ends []float64
	for _, m := range of(all, "SpeechStarted") {
		onsets = append(onsets, m.number("timestamp"))
	}
	for _, m := range of(all, "UtteranceEnd") {
		ends = append(ends, m.number("last_word_end"))
	}
	if len(onsets) != 2 || onsets[0] != 0.1 || onsets[1] != 2 {
		t.Errorf("got SpeechStarted at %v, want 0.1 and 2", onsets)
	}
	if len(ends) != 2 || ends[0] != 0.7 || ends[1] != 2.6 {
		t.Errorf("got UtteranceEnd for %v, want 0.7 and 2.6", ends)
	}
	c = dial(t, srv, "")
	c.silence(5 * time.Second)
	if all := c.bye(); len(of(all, "SpeechStarted"))+len(of(all, "UtteranceEnd")) > 0 {
		t.Errorf("got events that were not asked for: %v", all)
	}
}

func TestFinalizeFlushesAtOnce(t *testing.T) { // S11
	for _, profile := range []sandbox.Profile{sandbox.ProfileAldea, sandbox.ProfileDeepgram} {
		srv := serve(t, sandbox.Options{Profile: profile})
		c := dial(t, srv, "endpointing=300")
		c.silence(500 * time.Millisecond)
		c.control("Finalize")
		first := c.until(func(m message) bool { return m.flag("is_final") })
		m := first[len(first)-1]
		if m.text() != "hello" || m.end() != 0.5 || m.flag("speech_final") {
			t.Errorf("%s: got %v, want a final of hello at 0.5 s, in mid-speech", profile, m)
		}
		if got, ok := m["from_finalize"]; ok != (profile == sandbox.ProfileDeepgram) || ok && got != true {
			t.Errorf("%s: got from_finalize %v (%v)", profile, got, ok)
		}
		c.control("Finalize") // with nothing pending: no answer
		c.silence(time.Second)
		if rest := finals(c.bye()); len(rest) != 1 || rest[0].text() != "world" || !rest[0].flag("speech_final") {
			t.Errorf("%s: got %v, want one more final, world, which ends the speech", profile, rest)
		}
	}
	srv := serve(t, sandbox.Options{EmptyFinals: true})
	c := dial(t, srv, "")
	c.silence(50 * time.Millisecond)
	c.control("Finalize")
	if m := c.until(func(m message) bool { return m.flag("is_final") }); m[len(m)-1].text() != "" {
		t.Errorf("got %v, want an empty final", m)
	}
}

func TestCloseStreamSaysTheRestAndCloses(t *testing.T) { // S12
	srv := serve(t, sandbox.Options{ClosingMetadata: true})
	c := dial(t, srv, "")
	c.silence(800 * time.Millisecond)
	c.control("CloseStream")
	c.silence(5 * time.Second) // too late to be heard
	all, err := c.rest()
	wantClose(t, err, websocket.CloseNormalClosure)
	if got := texts(finals(all)); got != "hello world" {
		t.Errorf("got finals %q, want hello world", got)
	}
	last := all[len(all)-1]
	if last.kind() != "Metadata" || last.number("duration") != 0.8 {
		t.Errorf("got %v at the end, want Metadata with a duration of 0.8", last)
	}
	got := waitFor(t, srv, ended)
	if got.Bytes != 12800 || got.CloseCode != 1000 || got.ClosedBy != "server" {
		t.Errorf("got %d bytes, close %d by %s; want 12800, 1000, server", got.Bytes, got.CloseCode, got.ClosedBy)
	}
}

func TestIdleClientsAreClosed(t *testing.T) { // S13; more in idle_test.go, in simulated time
	srv := serve(t, sandbox.Options{IdleTimeout: 50 * time.Millisecond})
	_, err := dial(t, srv, "").rest()
	if reason := wantClose(t, err, websocket.CloseInternalServerErr); !strings.Contains(reason, "net0001") {
		t.Errorf("got reason %q, want it to hold net0001", reason)
	}
}

func TestOddFramesAreAnsweredAsChosen(t *testing.T) { // S14
	cases := []struct {
		name string
		opts sandbox.Options
		send func(*client)
		code int
		text string // of an Error message
	}{
		{"empty frame ignored", sandbox.Options{}, func(c *client) { c.binary(nil); c.silence(time.Second); c.control("CloseStream") }, 1000, ""},
		{"empty frame ends", sandbox.Options{EmptyFrame: sandbox.EmptyFrameEnd}, func(c *client) { c.silence(time.Second); c.binary(nil) }, 1000, ""},
		{"bad text ignored", sandbox.Options{}, func(c *client) { c.text("{"); c.silence(time.Second); c.control("CloseStream") }, 1000, ""},
		{"bad text answered", sandbox.Options{BadText: sandbox.BadTextError}, func(c *client) { c.text(`"x"`); c.silence(time.Second); c.control("CloseStream") }, 1000, "SchemaError"},
		{"unknown type answered", sandbox.Options{Profile: sandbox.ProfileDeepgram}, func(c *client) { c.control("Nonsense"); c.silence(time.Second); c.control("CloseStream") }, 1000, "SchemaError"},
		{"bad text closes", sandbox.Options{BadText: sandbox.BadTextClose}, func(c *client) { c.silence(time.Second); c.text("[]") }, 1008, ""},
	}
	for _, tc := range cases {
		srv := serve(t, tc.opts)
		c := dial(t, srv, "endpointing=100")
		tc.send(c)
		all, err := c.rest()
		wantClose(t, err, tc.code)
		if got := texts(finals(all)); got != "hello world" {
			t.Errorf("%s: got finals %q, want hello world", tc.name, got)
		}
		variant := ""
		for _, m := range of(all, "Error") {
			variant, _ = m["variant"].(string)
		}
		if variant != tc.text {
			t.Errorf("%s: got Error %q, want %q", tc.name, variant, tc.text)
		}
	}
	srv := serve(t, sandbox.Options{KeepAudio: true})
	c := dial(t, srv, "")
	c.binary([]byte{1, 2, 3})
	c.binary([]byte{4, 5})
	c.binary(append([]byte{6}, bytes16([]int16{100, 200, 300, 400})...))
	c.bye()
	got := waitFor(t, srv, ended)
	want := []int16{0x0201, 0x0403, 0x0605, 100, 200, 300, 400}
	if got.OddFrames != 2 || len(got.PCM) != len(want) || got.PCM[1] != want[1] || got.PCM[6] != want[6] {
		t.Errorf("got %d odd frames and samples %v, want 2 and %v", got.OddFrames, got.PCM, want)
	}
}

func TestPingsAndRudeClientsAreSurvived(t *testing.T) { // S15
	srv := serve(t, sandbox.Options{})
	c := dial(t, srv, "")
	pong := make(chan string, 1)
	c.conn.SetPongHandler(func(s string) error { pong <- s; return nil })
	if err := c.conn.WriteControl(websocket.PingMessage, []byte("hi"), time.Now().Add(guard)); err != nil {
		t.Fatal(err)
	}
	c.silence(time.Second)
	c.bye()
	if got := <-pong; got != "hi" {
		t.Errorf("got pong %q, want hi", got)
	}

	c = dial(t, srv, "")
	c.silence(time.Second)
	c.conn.NetConn().Close()
	if got := waitFor(t, srv, ended); got.CloseCode != 1006 || got.ClosedBy != "client" {
		t.Errorf("after a cut: got close %d by %s, want 1006 by client", got.CloseCode, got.ClosedBy)
	}

	c = dial(t, srv, "")
	if err := c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1001, "going"), time.Now().Add(guard)); err != nil {
		t.Fatal(err)
	}
	_, err := c.rest()
	wantClose(t, err, 1001)
	if got := waitFor(t, srv, ended); got.CloseCode != 1001 || got.CloseReason != "going" {
		t.Errorf("after a close: got %d %q, want 1001 going", got.CloseCode, got.CloseReason)
	}

	// What the quickstart's browser page does: CloseStream, and a close frame at once behind it.
	c = dial(t, srv, "")
	c.silence(800 * time.Millisecond)
	c.control("CloseStream")
	if err := c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(1000, ""), time.Now().Add(guard)); err != nil {
		t.Fatal(err)
	}
	all, err := c.rest()
	wantClose(t, err, 1000)
	if got := texts(finals(all)); got != "hello world" {
		t.Errorf("after CloseStream and close: got %q, want the last words all the same", got)
	}
}

func TestManyConnectionsAreIsolatedAndLimited(t *testing.T) { // S16
	const limit = 20
	srv := serve(t, sandbox.Options{MaxConnections: limit})
	clients := make([]*client, limit)
	for i := range clients {
		clients[i] = dial(t, srv, fmt.Sprintf("endpointing=100&x_script=0+voice%d", i))
	}
	_, resp, err := try(srv, "/v1/listen", "", key("org_a"))
	if err == nil || resp == nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Fatalf("got %v %v beyond the limit, want 429 with Retry-After", resp, err)
	}
	resp.Body.Close()
	var all sync.WaitGroup
	for i, c := range clients {
		all.Go(func() {
			c.silence(time.Second)
			if got, want := texts(finals(c.bye())), fmt.Sprintf("voice%d", i); got != want {
				t.Errorf("got %q on the stream of %q", got, want)
			}
		})
	}
	all.Wait()
}
