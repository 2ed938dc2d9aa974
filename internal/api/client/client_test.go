package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve starts a server that answers with h, and returns a client of it.
func serve(t *testing.T, h http.HandlerFunc) *Client {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Client{URL: s.URL + "/", Token: "secret", HTTP: s.Client()}
}

func TestAListIsReadPageByPage(t *testing.T) {
	var asked []string
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.String())
		if r.URL.Query().Get("cursor") == "" {
			fmt.Fprint(w, `{"data":[1,2],"next_cursor":"x y"}`)
			return
		}
		fmt.Fprint(w, `{"data":[3],"next_cursor":null}`)
	})
	var got []int
	for n, err := range List[int](t.Context(), c, "/v1/calls", url.Values{"state": {"up"}}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, n)
	}
	want := []string{"/v1/calls?limit=1000&state=up", "/v1/calls?cursor=x+y&limit=1000&state=up"}
	if !slices.Equal(got, []int{1, 2, 3}) || !slices.Equal(asked, want) {
		t.Errorf("got %v by %q, want 1 2 3 by %q", got, asked, want)
	}
	asked = nil
	for range List[int](t.Context(), c, "/v1/calls", url.Values{"limit": {"2"}}) {
		break
	}
	if len(asked) != 1 {
		t.Errorf("left after the first: got %d pages, want 1", len(asked))
	}
}

func TestAListThatNeverEndsIsRefused(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"data":[1],"next_cursor":"same"}`) })
	n := 0
	for _, err := range List[int](t.Context(), c, "/", nil) {
		if n++; n > 2 && !errors.Is(err, ErrNotBridge) {
			t.Fatalf("got item %d and %v, want ErrNotBridge", n, err)
		}
	}
}

func TestARequestCarriesTheTokenAndItsBody(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Header.Get("Authorization") != "Bearer secret" || r.Method != "POST" || string(b) != `{"state":"dead"}` || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("got %s %s with %q of %s", r.Method, b, r.Header.Get("Authorization"), r.Header.Get("Content-Type"))
		}
		fmt.Fprint(w, `{"n":7}`)
	})
	got, err := Post[map[string]int](t.Context(), c, "/v1/deliveries/redeliver", nil, map[string]string{"state": "dead"})
	if err != nil || got["n"] != 7 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestAProblemIsAnError(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(404)
		fmt.Fprint(w, `{"type":"about:blank","title":"Not Found","status":404,"detail":"no call CA1"}`)
	})
	p := (*Problem)(nil)
	if err := c.Delete(t.Context(), "/v1/calls/CA1"); !errors.As(err, &p) || p.Status != 404 || p.Error() != "no call CA1" {
		t.Errorf("got %v, want the problem", err)
	}
}

func TestAnotherServerIsToldFromABridge(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"a page":         func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>hello") },
		"a missing page": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"no problem": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/problem+json")
			w.WriteHeader(500)
			fmt.Fprint(w, "oops")
		},
	} {
		if _, err := Get[json.RawMessage](t.Context(), serve(t, h), "/v1/calls", nil); !errors.Is(err, ErrNotBridge) {
			t.Errorf("%s: got %v, want ErrNotBridge", name, err)
		}
	}
}

func TestNobodyAnswers(t *testing.T) {
	s := httptest.NewServer(nil)
	s.Close()
	c := &Client{URL: s.URL}
	if _, err := Get[int](t.Context(), c, "/v1/calls", url.Values{"number": {"+15550100001"}}); !errors.Is(err, ErrUnreachable) || strings.Contains(err.Error(), "1555") {
		t.Errorf("got %v, want ErrUnreachable, and no number", err)
	}
}

func TestADownloadThatIsCutIsAnError(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		fmt.Fprint(w, "12345")
	})
	var b strings.Builder
	if err := c.Download(t.Context(), "/v1/backup", nil, &b); !errors.Is(err, io.ErrUnexpectedEOF) || b.String() != "12345" {
		t.Errorf("got %q and %v, want an unexpected end", b.String(), err)
	}
}

func TestARequestEndsWithItsContext(t *testing.T) {
	c := serve(t, func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Get[int](ctx, c, "/", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
