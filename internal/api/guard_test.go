package api

import (
	"net/http"
	"strings"
	"testing"
)

func TestNoRouteAnswersWithoutTheToken(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Guard = NewGuard([]string{"old-token", "new-token"}, true, c.Logger) })
	paths := []string{"/v1", "/v1/", "/v1/nothing", "/v1/calls/a/b/c", "/V1/calls", "/v1/calls/", "/v1/%63alls", "/v1/../v1/calls", "/v1//calls"}
	for _, route := range r.app.GetRoutes(true) {
		paths = append(paths, strings.ReplaceAll(route.Path, ":id", "x"))
	}
	if len(paths) < 25 {
		t.Fatalf("got %d paths, want those of all routes", len(paths))
	}
	for _, path := range paths {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"} {
			for _, header := range []string{"X: y", "Authorization: Bearer", "Authorization: Bearer wrong", "Authorization: Bearer new-token2", "Authorization: Basic new-token", "Authorization: new-token", "Authorization: Bearer old-token,new-token"} {
				got := r.ask(t, method, path, "", header)
				if got.status != http.StatusUnauthorized || got.header.Get("Www-Authenticate") != "Bearer" {
					t.Errorf("%s %s with %q: got %d, want 401", method, path, header, got.status)
				}
				if method != "HEAD" {
					got.problem(t, 401, "BRIDGE_API_TOKEN")
				}
				for _, secret := range []string{"old-token", "new-token"} {
					if strings.Contains(got.body, secret) {
						t.Errorf("%s %s: the answer holds a token", method, path)
					}
				}
			}
		}
	}
}

func TestEachTokenOpensTheAPI(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Guard = NewGuard([]string{"old-token", "new-token"}, false, c.Logger) })
	for _, header := range []string{"Authorization: Bearer old-token", "Authorization: bearer new-token", "Authorization: Bearer  new-token "} {
		// With a token it does not matter where a request comes from.
		if got := r.ask(t, "GET", "/v1/calls", "", header, "Host: bridge.example", "X-Forwarded-For: 203.0.113.7"); got.status != 200 {
			t.Errorf("%q: got %d %s, want 200", header, got.status, got.body)
		}
	}
}

func TestATokenAloneOpensALocalAPIToNobodyElse(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Guard = NewGuard([]string{"short"}, true, c.Logger) })
	const token = "Authorization: Bearer short"
	if got := r.ask(t, "GET", "/v1/calls", "", token); got.status != 200 {
		t.Errorf("a program on this machine: got %d %s, want 200", got.status, got.body)
	}
	r.ask(t, "GET", "/v1/calls", "").problem(t, 401, "BRIDGE_API_TOKEN")
	r.ask(t, "GET", "/v1/calls", "", token, "X-Forwarded-For: 203.0.113.7").problem(t, 403, "BRIDGE_API_TOKEN")
}

func TestAnEmptyTokenOpensNothing(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Guard = NewGuard([]string{"", "a-token"}, false, c.Logger) })
	for _, header := range []string{"X: y", "Authorization: Bearer", "Authorization: Bearer "} {
		r.ask(t, "GET", "/v1/calls", "", header).problem(t, 401, "BRIDGE_API_TOKEN")
	}
}

func TestWithoutTokensOnlyProgramsOnThisMachineAreServed(t *testing.T) {
	r := newRig(t, nil)
	port := r.url[strings.LastIndex(r.url, ":"):]
	for _, c := range []struct {
		header string
		status int
	}{
		{"X: y", 200},
		{"Host: localhost", 200},
		{"Host: LOCALHOST" + port, 200},
		{"Host: [::1]" + port, 200},
		{"Host: 127.8.9.1", 200},
		{"Host: bridge.example", 403},
		{"Host: localhost.evil.example", 403},
		{"Host: 127.0.0.1.nip.io" + port, 403},
		{"Host: 192.168.1.7", 403},
		{"Origin: " + r.url, 200},
		{"Origin: https://evil.example", 403},
		{"Origin: http://localhost:3000", 403},
		{"Origin: null", 403},
		{"Sec-Fetch-Site: same-origin", 200},
		{"Sec-Fetch-Site: none", 200},
		{"Sec-Fetch-Site: cross-site", 403},
		{"X-Forwarded-For: 203.0.113.7", 403},
		{"X-Forwarded-Host: bridge.example", 403},
		{"Forwarded: for=203.0.113.7", 403},
		{"Via: 1.1 tunnel", 403},
	} {
		got := r.ask(t, "GET", "/v1/calls", "", c.header)
		if got.status != c.status {
			t.Errorf("%q: got %d, want %d", c.header, got.status, c.status)
		}
		if c.status == 403 {
			got.problem(t, 403, "BRIDGE_API_TOKEN")
		}
	}
}

func TestAnOpenAPIWithoutTokensServesEverybody(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Guard = NewGuard(nil, false, c.Logger) })
	if got := r.ask(t, "GET", "/v1/calls", "", "Host: bridge.example"); got.status != 200 {
		t.Errorf("got %d, want 200", got.status)
	}
}
