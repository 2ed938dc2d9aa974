package main

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestProfilesAreForThisMachineOnly(t *testing.T) {
	for _, address := range []string{":6060", "0.0.0.0:6060", "192.0.2.1:6060", "example.com:6060"} {
		if err := startPprof(address, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "BRIDGE_PPROF") {
			t.Errorf("%s: got %v, want an error that names BRIDGE_PPROF", address, err)
		}
	}
}

func TestProfilesAreForProgramsOnly(t *testing.T) {
	srv := httptest.NewServer(localOnly(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})))
	defer srv.Close()
	ask := func(change func(*http.Request)) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL+"/debug/pprof/", nil)
		if err != nil {
			t.Fatal(err)
		}
		change(r)
		resp, err := srv.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	for _, tt := range []struct {
		name   string
		change func(*http.Request)
		want   int
	}{
		{"a program", func(*http.Request) {}, 200},
		{"by another name of this machine", func(r *http.Request) { r.Host = "localhost:6060" }, 200},
		{"a name made to mean this machine", func(r *http.Request) { r.Host = "evil.example:6060" }, 403},
		{"a web page", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403},
		{"an image on a web page", func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") }, 403},
		{"a proxy", func(r *http.Request) { r.Header.Set("X-Forwarded-For", "203.0.113.7") }, 403},
	} {
		if got := ask(tt.change); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}
