package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/internal/version"
)

func TestTheVersionOfTheBuildIsShownEverywhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	if _, err := w.call("CA1", say("hello")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	if got, want := w.webhook.Delivered()[0].Header.Get("User-Agent"), "bridge/"+version.String(); got != want {
		t.Errorf("webhook request: got User-Agent %q, want %q", got, want)
	}
	if got, want := metricsOf(t, w), `bridge_info{version="`+version.String()+`"} 1`; !strings.Contains(got, want) {
		t.Errorf("metrics: missing %s", want)
	}
	resp, err := http.Get("http://" + w.server.listener.Addr().String() + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || !strings.Contains(string(got), `"version":"`+version.String()+`"`) {
		t.Errorf("/healthz: got %s, %v, want version %s", got, err, version.String())
	}
	var out strings.Builder
	if err := run(context.Background(), []string{"version"}, terminal{&out, io.Discard}); err != nil || !strings.HasPrefix(out.String(), "bridge "+version.String()+" ") {
		t.Errorf("bridge version: got %q, %v, want version %s", out.String(), err, version.String())
	}
}
