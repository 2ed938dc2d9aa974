package sandbox_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

func TestInspectionShowsWhatHappened(t *testing.T) { // 22.4
	srv := serve(t, sandbox.Options{KeepAudio: true})
	c := dial(t, srv, "keywords=x")
	samples := hum(time.Second, 8000, 0.5)
	c.audio(samples)
	c.control("KeepAlive")
	c.audio(samples[:800])
	c.control("Finalize")
	c.text("oops")
	messages := c.bye()
	got := waitFor(t, srv, ended)

	sum := sha256.Sum256(bytes16(append(samples[:len(samples):len(samples)], samples[:800]...)))
	if got.SHA256 != hex.EncodeToString(sum[:]) || got.Bytes != 17600 || got.Frames != 55 || len(got.PCM) != 8800 || got.Audio != 1100*time.Millisecond {
		t.Errorf("got %d bytes in %d frames, %d samples, %v, hash %s", got.Bytes, got.Frames, len(got.PCM), got.Audio, got.SHA256)
	}
	want := []sandbox.Control{{Type: "KeepAlive", At: time.Second}, {Type: "Finalize", At: 1100 * time.Millisecond},
		{Type: "bad", At: 1100 * time.Millisecond}, {Type: "CloseStream", At: 1100 * time.Millisecond}}
	if len(got.Controls) != len(want) {
		t.Fatalf("got controls %v, want %v", got.Controls, want)
	}
	for i := range want {
		if got.Controls[i] != want[i] {
			t.Errorf("control %d: got %v, want %v", i, got.Controls[i], want[i])
		}
	}
	if len(got.Sent) != len(messages) || got.Status != 101 || got.CloseCode != 1000 || got.BadTexts != 1 {
		t.Errorf("got %d messages, status %d, close %d, %d bad texts; the client saw %d messages", len(got.Sent), got.Status, got.CloseCode, got.BadTexts, len(messages))
	}

	status, text, _ := request(t, srv, "GET", "/inspect", nil, "")
	if status != 200 || strings.Contains(text, "org_test") {
		t.Errorf("got status %d; the key must not show: %s", status, text)
	}
	var page struct {
		Source      string
		Simulated   bool
		Connections []struct {
			Query    string
			Key      string
			SHA256   string
			Sent     []struct{ Message struct{ Type string } }
			Controls []struct {
				Type string
				At   float64
			}
			CloseCode int `json:"close_code"`
		}
	}
	if err := json.Unmarshal([]byte(text), &page); err != nil {
		t.Fatalf("inspection is no JSON: %v: %s", err, text)
	}
	if len(page.Connections) != 1 || page.Source != "script" || !page.Simulated {
		t.Fatalf("got %+v, want one connection", page)
	}
	p := page.Connections[0]
	if p.SHA256 != got.SHA256 || p.CloseCode != 1000 || p.Controls[1].At != 1.1 || p.Sent[0].Message.Type != "Metadata" || !strings.HasPrefix(p.Key, "sha256:") || !strings.Contains(p.Query, "keywords=x") {
		t.Errorf("got %+v", p)
	}
}

func TestInspectionIsLockedWithTheServersKeys(t *testing.T) {
	srv := serve(t, sandbox.Options{Keys: []string{"org_in"}})
	if status, _, _ := request(t, srv, "GET", "/inspect", nil, ""); status != 401 {
		t.Errorf("got %d without a key, want 401", status)
	}
	if status, _, _ := request(t, srv, "GET", "/inspect", key("org_in"), ""); status != 200 {
		t.Errorf("got %d with a key, want 200", status)
	}
}

func TestRefusedRequestsAreRememberedToo(t *testing.T) {
	srv := serve(t, sandbox.Options{})
	_, resp, _ := try(srv, "/v1/listen", "", key("bad"))
	body(resp)
	if all := srv.Connections(); len(all) != 1 || all[0].Status != 401 || all[0].Open || !strings.HasPrefix(all[0].KeyHash, "sha256:") {
		t.Errorf("got %+v, want one refusal", all)
	}
}
