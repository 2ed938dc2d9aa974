package webhooks

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"aldeabridge/events"
)

// The project's own vector; the npm libraries standardwebhooks and svix accept it.
const (
	vectorBody = `{"type":"utterance.final","timestamp":"2026-01-02T03:04:05.678Z","data":{"call":{"id":"CA00000000000000000000000000000001","from":"+15550100001"},"sequence":3,"utterance":{"index":2,"speaker":"caller","text":"Grüße, I’d like to move my appointment.","start_ms":4120,"end_ms":6480}}}`
	vectorID   = "evt_01KDYTESTVECT0R0000000000A"
	vectorTime = 1767323045
	vectorSum  = "099028fab262bd2dbab79e43f37285bf6ad42c80ccf7ba2a98fb48904ddfaf65"

	previousSecret = "whsec_YnJpZGdlLXRlc3Qta2V5LXByZXZpb3VzLTAwMDAwMzI="
	currentEntry   = "v1,K4mfQuDs7bVL9XoOUQeAY9dehWWAuuGNv92C4OudeUk="
	previousEntry  = "v1,RbjzqYp9leSUB0ji9GHCV8+m4nyloK/di1MwL779K68="
)

func TestTheSignatureIsThatOfTheVector(t *testing.T) {
	if len(vectorBody) != 286 {
		t.Fatalf("body has %d bytes, want 286", len(vectorBody))
	}
	if sum := sha256.Sum256([]byte(vectorBody)); hex.EncodeToString(sum[:]) != vectorSum {
		t.Fatalf("body has SHA-256 %x, want %s", sum, vectorSum)
	}
	for _, c := range []struct {
		secrets []Secret
		want    string
	}{
		{[]Secret{testSecret}, currentEntry},
		{[]Secret{previousSecret}, previousEntry},
		{[]Secret{testSecret, previousSecret}, currentEntry + " " + previousEntry},
	} {
		s, err := newSigner(c.secrets)
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.sign(vectorID, time.Unix(vectorTime, 999e6), []byte(vectorBody))
		if err != nil || got != c.want {
			t.Errorf("%d secrets: got %s, %v\nwant %s", len(c.secrets), got, err, c.want)
		}
	}
}

// sent returns the request that a sender makes.
func sent(t *testing.T, e Endpoint, actions, live bool, at time.Time) *http.Request {
	t.Helper()
	r, err := newReceiver(Config{Logger: discard(), Version: "1.2.3", Actions: map[bool]func(Reply){true: func(Reply) {}}[actions]}, e)
	if err != nil {
		t.Fatal(err)
	}
	req, err := r.sender.request(context.Background(), events.Record{ID: vectorID, Body: []byte(vectorBody)}, 7, live, at)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func TestARequestCarriesTheHeadersOfTheContract(t *testing.T) {
	e := Endpoint{
		Name: "e", URL: "https://us%20er:p%40ss:word@example.com:8443/hook?x=1#frag", Secrets: []Secret{testSecret, previousSecret},
		Header: http.Header{"x-tenant": {"a", "b"}},
	}
	req := sent(t, e, false, true, time.Unix(vectorTime, 0))
	want := http.Header{
		"Accept-Encoding":   {"identity"},
		"Content-Type":      {"application/json"},
		"User-Agent":        {"bridge/1.2.3"},
		"Webhook-Id":        {vectorID},
		"Webhook-Timestamp": {"1767323045"},
		"Webhook-Signature": {currentEntry + " " + previousEntry},
		"Idempotency-Key":   {vectorID},
		"Bridge-Attempt":    {"7"},
		"Bridge-Live":       {"0"},
		"X-Tenant":          {"a", "b"},
		"Authorization":     {"Basic dXMgZXI6cEBzczp3b3Jk"}, // us er:p@ss:word
	}
	for name := range want {
		if got := req.Header[name]; len(got) != len(want[name]) || got[0] != want[name][0] {
			t.Errorf("%s: got %q, want %q", name, got, want[name])
		}
	}
	if len(req.Header) != len(want) {
		t.Errorf("got headers %v, want %v", req.Header, want)
	}
	if got := req.URL.String(); got != "https://example.com:8443/hook?x=1" || req.Method != http.MethodPost {
		t.Errorf("got %s %s, want POST without user, password and fragment", req.Method, got)
	}
	if req.ContentLength != 286 || req.GetBody == nil {
		t.Errorf("got length %d, GetBody %t: net/http could not repeat it", req.ContentLength, req.GetBody != nil)
	}
}

func TestBridgeLiveSaysWhetherActionsWillRun(t *testing.T) {
	e := Endpoint{Name: "e", URL: "http://example.com", Secrets: []Secret{testSecret}}
	for _, c := range []struct {
		actions, live bool
		want          string
	}{{false, false, "0"}, {false, true, "0"}, {true, false, "0"}, {true, true, "1"}} {
		if got := sent(t, e, c.actions, c.live, time.Now()).Header.Get("bridge-live"); got != c.want {
			t.Errorf("actions %t, live %t: got %s, want %s", c.actions, c.live, got, c.want)
		}
	}
}

// The reference library for Go verifies requests with either secret, and with no other. A test in test/peers does the
// same with the library for Node.js.
func TestTheReferenceLibraryVerifiesRequests(t *testing.T) {
	type post struct {
		header http.Header
		body   []byte
	}
	posts := make(chan post, 10)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		posts <- post{r.Header, body}
		if r.Header.Get("bridge-attempt") == "1" {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer srv.Close()
	journal := newFakeJournal()
	d, err := New(Config{Journal: journal, Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret, previousSecret}}}})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, d)
	defer stop()
	journal.append("A", started)
	if err := d.Drain(guard(t)); err != nil {
		t.Fatal(err)
	}
	first, again := <-posts, <-posts
	for _, p := range []post{first, again} {
		for secret, want := range map[Secret]bool{testSecret: true, previousSecret: true, NewSecret(): false} {
			w, err := standardwebhooks.NewWebhook(string(secret))
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Verify(p.body, p.header); (err == nil) != want {
				t.Errorf("attempt %s: got %v, want verified %t", p.header.Get("bridge-attempt"), err, want)
			}
			if err := w.Verify(append(p.body, ' '), p.header); err == nil {
				t.Error("a body with a space behind it was verified")
			}
		}
	}
	if first.header.Get("webhook-id") != again.header.Get("webhook-id") || string(first.body) != string(again.body) {
		t.Errorf("got %s and %s, want the same id and bytes", first.body, again.body)
	}
}
