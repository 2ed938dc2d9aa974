package main

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"

	"aldeabridge/aldea/sandbox"
)

// Every route that the API's own document names wants the token, on loopback too, however its path is spelt.
func TestEveryRouteOfTheDocumentWantsTheToken(t *testing.T) {
	w := newWorld(t, sandbox.Options{}, func(o *options) { o.secrets.apiTokens = []string{"new", "old"} })
	base := "http://" + w.server.listener.Addr().String()
	client := &http.Transport{}
	defer client.CloseIdleConnections()
	ask := func(method, path, authorization string) *http.Response {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if authorization != "" {
			req.Header.Set("Authorization", authorization)
		}
		resp, err := client.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	resp := ask(http.MethodGet, "/v1/openapi.json", "Bearer old")
	var document struct{ Paths map[string]map[string]any }
	err := json.NewDecoder(resp.Body).Decode(&document)
	resp.Body.Close()
	if err != nil || len(document.Paths) == 0 {
		t.Fatalf("got %d paths, %v, with status %d", len(document.Paths), err, resp.StatusCode)
	}
	refused := 0
	wants401 := func(method, path, authorization string) {
		t.Helper()
		resp := ask(method, path, authorization)
		defer resp.Body.Close()
		body, _ := io.ReadAll(io.LimitReader(resp.Body, 1000)) // a stream would go on
		problem := method == http.MethodHead || resp.Header.Get("Content-Type") == "application/problem+json" && strings.Contains(string(body), `"status":401`)
		if resp.StatusCode != http.StatusUnauthorized || resp.Header.Get("WWW-Authenticate") != "Bearer" || !problem {
			t.Errorf("%s %s with %q: got %d, %v, %s, want 401", method, path, authorization, resp.StatusCode, resp.Header, body)
		}
		refused++
	}
	for path, operations := range document.Paths {
		path = strings.ReplaceAll(path, "{id}", "CA1")
		for method := range operations {
			method = strings.ToUpper(method)
			for _, authorization := range []string{"", "Bearer", "Bearer ", "Bearer wrong", "Bearer new,old", "Basic new", "new"} {
				wants401(method, path, authorization)
			}
			for _, spelt := range []string{path + "/", path + "?token=new", strings.ToUpper(path), "/v1/" + path[3:]} {
				wants401(method, spelt, "")
			}
			for _, odd := range []string{"/%76%31" + path[3:], "/" + path, "/x/.." + path} { // there is no route
				resp := ask(method, odd, "")
				if resp.Body.Close(); resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusNotFound {
					t.Errorf("%s %s: got %d, want 401 or 404", method, odd, resp.StatusCode)
				}
			}
		}
		wants401(http.MethodHead, path, "")
		wants401(http.MethodOptions, path, "")
	}
	for _, path := range []string{"/v1", "/v1/", "/v1/nothing", "/metrics"} {
		wants401(http.MethodGet, path, "")
	}
	t.Logf("%d requests to %d paths refused", refused, len(document.Paths))
	for _, token := range []string{"Bearer new", "bearer old"} {
		resp := ask(http.MethodGet, "/v1/calls", token)
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Errorf("%s: got %d, want 200", token, resp.StatusCode)
		}
	}
}
