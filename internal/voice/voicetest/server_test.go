package voicetest_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"aldeabridge/internal/voice/voicetest"
)

func post(t *testing.T, url, key, body string) (int, []byte) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", key)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, b
}

func TestServerRefusesWhatTheServiceWould(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	srv.Key = "secret"
	const query = "/v1/speak?model=m&encoding=mulaw&sample_rate=8000&container=none"
	for _, c := range []struct {
		path, key, body string
		status          int
	}{
		{query, "Token secret", `{"text":"hi"}`, 200},
		{query, "Bearer secret", `{"text":"hi"}`, 401},
		{query, "Token secret", `{"text":""}`, 422},
		{"/v1/speak?model=m&encoding=mulaw", "Token secret", `{"text":"hi"}`, 422},
		{"/v1/audio/speech", "Bearer secret", `{"model":"m","voice":"v","input":"hi"}`, 422},
		{"/tts/bytes", "Bearer secret", `{"model_id":"m","transcript":"hi"}`, 422},
		{query, "Token secret", `hi`, 400},
	} {
		if status, body := post(t, srv.URL+c.path, c.key, c.body); status != c.status {
			t.Errorf("%s with %s: got %d %s, want %d", c.path, c.body, status, body, c.status)
		}
	}
}

func ExampleServer() {
	srv := voicetest.NewServer()
	defer srv.Close()
	srv.Answer(voicetest.Fault{Status: 503})
	for range 2 {
		resp, err := http.Post(srv.URL+"/v1/speak?model=m&encoding=mulaw&sample_rate=8000&container=none", "application/json", strings.NewReader(`{"text":"hi"}`))
		if err != nil {
			fmt.Println(err)
			return
		}
		b, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		fmt.Println(resp.StatusCode, bytes.Equal(b, voicetest.MuLaw("hi")), err)
	}
	// Output:
	// 503 false <nil>
	// 200 true <nil>
}
