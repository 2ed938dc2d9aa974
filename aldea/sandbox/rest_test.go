package sandbox_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

func TestRecordingsAreAnsweredInAldeasShape(t *testing.T) {
	srv := serve(t, sandbox.Options{})
	audio := string(bytes16(silence(4*time.Second, 8000)))
	header := key("org_a")
	header.Set("timestamps", "true")
	status, text, _ := request(t, srv, "POST", "/v1/listen?encoding=linear16&sample_rate=8000&diarize=true&detect_language=true", header, audio)
	var answer struct {
		Metadata struct {
			RequestID string  `json:"request_id"`
			Created   string  `json:"created"`
			Duration  float64 `json:"duration"`
			Channels  int     `json:"channels"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	want := `"duration":4.0,"channels":1},"results":{"channels":[{"detected_language":"en","alternatives":[{"transcript":"hello world good bye","confidence":0.9900,` +
		`"words":[{"word":"hello","start":0.1,"end":0.4,"speaker":0},{"word":"world","start":0.4,"end":0.7,"speaker":0},` +
		`{"word":"good","start":2.0,"end":2.3,"speaker":0},{"word":"bye","start":2.3,"end":2.6,"speaker":0}]}]}]}}`
	if status != 200 || !strings.HasSuffix(text, want) || answer.Metadata.RequestID == "" {
		t.Errorf("got %d %s\nwant %s", status, text, want)
	}
	_, text, _ = request(t, srv, "POST", "/v1/listen?encoding=linear16&sample_rate=8000", key("org_a"), audio)
	if !strings.Contains(text, `"words":[]`) || strings.Contains(text, "detected_language") {
		t.Errorf("got %s, want no words without the timestamps header", text)
	}
	got := srv.Connections()[0]
	if got.Transport != "post" || got.Status != 200 || got.Bytes != 64000 || got.Audio != 4*time.Second {
		t.Errorf("got %+v", got)
	}
}

func TestRecordingsThatCanNotBeTranscribed(t *testing.T) {
	srv := serve(t, sandbox.Options{MaxBody: 1000})
	typed := func(kind string) http.Header {
		h := key("org_a")
		h.Set("Content-Type", kind)
		return h
	}
	for _, c := range []struct {
		name, query string
		header      http.Header
		content     string
		status      int
	}{
		{"no key", "", nil, "x", 401},
		{"empty", "", key("org_a"), "", 400},
		{"too large", "", key("org_a"), strings.Repeat("x", 1001), 413},
		{"text", "", typed("text/plain"), "x", 415},
		{"by address", "", typed("application/json"), `{"url":"http://example.com/x.wav"}`, 422},
		{"call back", "callback=http://example.com/", key("org_a"), "x", 422},
		{"bad parameter", "sample_rate=x", key("org_a"), "x", 400},
	} {
		status, text, _ := request(t, srv, "POST", "/v1/listen?"+c.query, c.header, c.content)
		if status != c.status || !strings.Contains(text, `"error":"`) {
			t.Errorf("%s: got %d %s, want %d", c.name, status, text, c.status)
		}
	}
}
