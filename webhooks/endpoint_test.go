package webhooks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aldeabridge/internal/egress"
)

func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

var urlCases = []struct {
	raw, want, user string // want empty: refused
}{
	{"https://example.com", "https://example.com", ""},
	{"http://127.0.0.1:3000/hook", "http://127.0.0.1:3000/hook", ""},
	{"HTTP://Example.com/a?b=c#d", "http://Example.com/a?b=c", ""},
	{"https://[::1]:8443/x", "https://[::1]:8443/x", ""},
	{"https://me:hunter2@example.com/x", "https://example.com/x", "me:hunter2"},
	{"https://me@example.com", "https://example.com", "me:"},
	{"https://:hunter2@example.com", "https://example.com", ":hunter2"},
	{"https://example.com/%41?q=%zz", "https://example.com/%41?q=%zz", ""},
	{"", "", ""},
	{"example.com/hook", "", ""},
	{"//example.com/hook", "", ""},
	{"ftp://example.com", "", ""},
	{"mailto:me@example.com", "", ""},
	{"https://", "", ""},
	{"https://:443", "", ""},
	{"https:///hook", "", ""},
	{"https://example.com:0", "", ""},
	{"https://example.com:65536", "", ""},
	{"https://example.com:http", "", ""},
	{"https://me:hun%ter2@example.com", "", ""},
	{"https://me:hunter2@exam ple.com", "", ""},
	{"https://example.com/\x00hunter2", "", ""},
	{" https://example.com", "", ""},
}

func TestInvalidEndpointURLsAreRefusedWithoutQuotingThem(t *testing.T) {
	for _, c := range urlCases {
		got, err := newTarget(egress.Guard{Operator: true}, c.raw)
		if c.want == "" {
			if !errors.Is(err, egress.ErrURL) {
				t.Errorf("%q: got %v, want ErrURL", c.raw, err)
			}
			if err != nil && strings.Contains(err.Error(), "hun") {
				t.Errorf("%q: the error shows a password: %v", c.raw, err)
			}
			continue
		}
		if err != nil || got.url.String() != c.want {
			t.Errorf("%q: got %v, %v; want %s", c.raw, got.url, err, c.want)
			continue
		}
		req := &http.Request{Header: http.Header{"Authorization": {got.authorization}}}
		user, password, ok := req.BasicAuth()
		if pair := user + ":" + password; ok != (c.user != "") || ok && pair != c.user {
			t.Errorf("%q: got user %q (%t), want %q", c.raw, pair, ok, c.user)
		}
	}
}

func FuzzEndpointURL(f *testing.F) {
	for _, c := range urlCases {
		f.Add(c.raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := newTarget(egress.Guard{Operator: true}, raw)
		if err != nil {
			if !errors.Is(err, egress.ErrURL) {
				t.Fatalf("got %v, want ErrURL", err)
			}
			return
		}
		if got.url.User != nil || got.url.Hostname() == "" {
			t.Fatalf("accepted %q as %s", raw, got.url)
		}
		if _, err := url.Parse(got.url.String()); err != nil {
			t.Fatalf("accepted %q, but cannot read it again: %v", raw, err)
		}
		if _, err := http.NewRequestWithContext(context.Background(), http.MethodPost, got.url.String(), nil); err != nil {
			t.Fatalf("accepted %q, but no request can be made: %v", raw, err)
		}
		if hasControl(got.authorization) {
			t.Fatalf("%q makes a header with control characters", raw)
		}
	})
}

func TestNewRefusesInvalidConfigurations(t *testing.T) {
	good := func(change func(*Endpoint)) []Endpoint {
		e := Endpoint{Name: "main", URL: "http://example.com", Secrets: []Secret{testSecret}}
		change(&e)
		return []Endpoint{e}
	}
	header := func(name, value string) []Endpoint {
		return good(func(e *Endpoint) { e.Header = http.Header{name: {value}} })
	}
	for _, c := range []struct {
		name      string
		endpoints []Endpoint
		want      string // part of the error; empty: accepted
	}{
		{"good", good(func(*Endpoint) {}), ""},
		{"no endpoint", nil, ""},
		{"own header", header("X-Tenant", "7"), ""},
		{"no name", good(func(e *Endpoint) { e.Name = "" }), "without a name"},
		{"no secret", good(func(e *Endpoint) { e.Secrets = nil }), "endpoint main: webhooks: bad signing secret: there is none"},
		{"bad secret", good(func(e *Endpoint) { e.Secrets = []Secret{"x"} }), "does not begin"},
		{"bad URL", good(func(e *Endpoint) { e.URL = "x" }), "endpoint main: bad URL"},
		{"short time-out", good(func(e *Endpoint) { e.Timeout = time.Millisecond }), "time-out 1ms"},
		{"long time-out", good(func(e *Endpoint) { e.Timeout = time.Minute }), "time-out 1m0s"},
		{"negative concurrency", good(func(e *Endpoint) { e.Concurrency = -1 }), "negative"},
		{"our header", header("webhook-ID", "x"), `header "webhook-ID"`},
		{"connection's header", header("Host", "x"), `header "Host"`},
		{"odd header name", header("a b", "x"), "does not allow"},
		{"header with a newline", header("X-A", "a\r\nb: c"), "does not allow"},
		{"twice the same name", append(good(func(*Endpoint) {}), good(func(*Endpoint) {})...), "two endpoints named main"},
	} {
		_, err := New(Config{Endpoints: c.endpoints, Journal: newFakeJournal()})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	if _, err := New(Config{}); err == nil {
		t.Error("accepted a config without a journal")
	}
}

func TestAnEndpointIsPrintedAsItsName(t *testing.T) {
	e := Endpoint{Name: "main", URL: "https://me:hunter2@example.com"}
	var out strings.Builder
	fmt.Fprintf(&out, "%v %+v %#v %s %v", e, e, e, e, []Endpoint{e})
	slog.New(slog.NewJSONHandler(&out, nil)).Info("m", "endpoint", e)
	if strings.Contains(out.String(), "hunter2") {
		t.Errorf("a password appears in %s", out.String())
	}
}
