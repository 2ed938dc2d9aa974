package sandbox_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

func TestDeepgramsShapes(t *testing.T) {
	srv := serve(t, sandbox.Options{Profile: sandbox.ProfileDeepgram})
	c := dial(t, srv, "vad_events=true&utterance_end_ms=1000&interim_results=true&endpointing=300")
	id := c.resp.Header.Get("dg-request-id")
	c.silence(4 * time.Second)
	c.control("CloseStream")
	var raw []string
	for {
		_, b, err := c.conn.ReadMessage()
		if err != nil {
			wantClose(t, err, websocket.CloseNormalClosure)
			break
		}
		raw = append(raw, string(b))
	}
	final := ""
	for _, m := range raw {
		if strings.Contains(m, `"is_final":true`) {
			final = m
			break
		}
	}
	const model = "5a4d2b0c-0000-4000-8000-73616e64626f"
	info := `{"name":"sandbox-script","version":"sandbox","arch":"sandbox"}`
	want := `{"type":"Results","channel_index":[0,1],"duration":1.0,"start":0.0,"is_final":true,"speech_final":true,` +
		`"channel":{"alternatives":[{"transcript":"hello world","confidence":0.9900,"words":[` +
		`{"word":"hello","start":0.1,"end":0.4,"confidence":0.9900},{"word":"world","start":0.4,"end":0.7,"confidence":0.9900}]}]},` +
		`"metadata":{"request_id":"` + id + `","model_info":` + info + `,"model_uuid":"` + model + `"},"from_finalize":false}`
	if final != want {
		t.Errorf("got %s\nwant %s", final, want)
	}
	var first, last message
	if err := json.Unmarshal([]byte(raw[0]), &first); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(raw[len(raw)-1]), &last); err != nil {
		t.Fatal(err)
	}
	if first.kind() != "SpeechStarted" || raw[0] != `{"type":"SpeechStarted","channel":[0,1],"timestamp":0.1}` {
		t.Errorf("got %s first, want SpeechStarted: Metadata comes at the end", raw[0])
	}
	if last.kind() != "Metadata" || last.number("duration") != 4 || last["transaction_key"] != "deprecated" ||
		last["request_id"] != id || len(last["sha256"].(string)) != 64 || last["models"].([]any)[0] != model ||
		last["model_info"].(map[string]any)[model] == nil {
		t.Errorf("got %v last, want the closing Metadata", last)
	}
}

func TestDeepgramsDefaultsAndRefusals(t *testing.T) {
	srv := serve(t, sandbox.Options{Profile: sandbox.ProfileDeepgram})
	conn, resp, err := try(srv, "/v1/listen", "encoding=mulaw&sample_rate=8000&language=de", key("any-key"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	defer conn.Close()
	if p := srv.Connections()[0].Params; p.Interim || p.Endpointing != 10*time.Millisecond {
		t.Errorf("got %+v, want no interims and 10 ms endpointing", p)
	}
	_, resp, _ = try(srv, "/v1/listen", "sample_rate=x", key("k"))
	text := body(resp)
	if resp.StatusCode != 400 || !strings.HasPrefix(text, `{"err_code":"`) || !strings.Contains(text, `"err_msg":"`) ||
		resp.Header.Get("dg-request-id") == "" || resp.Header.Get("dg-error") == "" {
		t.Errorf("got %d %s %v, want Deepgram's error", resp.StatusCode, text, resp.Header)
	}
	c := dial(t, srv, "") // no audio: its Metadata has no models
	all := c.bye()
	if len(all) != 1 || all[0]["models"] != nil || all[0].number("channels") != 0 {
		t.Errorf("got %v, want a Metadata without models", all)
	}
}

func TestAnEmptyFrameEndsDeepgramsStream(t *testing.T) {
	srv := serve(t, sandbox.Options{Profile: sandbox.ProfileDeepgram})
	c := dial(t, srv, "")
	c.silence(time.Second)
	c.binary(nil)
	all, err := c.rest()
	wantClose(t, err, websocket.CloseNormalClosure)
	if got := texts(finals(all)); got != "hello world" {
		t.Errorf("got %q, want hello world", got)
	}
}
