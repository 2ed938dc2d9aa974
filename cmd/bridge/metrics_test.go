package main

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"aldeabridge/aldea/sandbox"
)

// metricsOf returns what a server's /metrics says.
func metricsOf(t *testing.T, w *world) string {
	t.Helper()
	resp, err := http.Get("http://" + w.server.listener.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

func TestMetricsTellOfACallFromCarrierToWebhook(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	if _, err := w.call("CAmetrics", say("one", "two")).Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	if err := w.server.media.Shutdown(context.Background()); err != nil { // returns when the call has told everybody
		t.Fatal(err)
	}

	body := metricsOf(t, w)
	for _, want := range []string{
		`bridge_events_total{type="utterance.final"} 2`,
		`bridge_events_total{type="call.ended"} 1`,
		`bridge_calls_ended_total{reason="carrier_stop"} 1`,
		`bridge_utterances_total{ended_by="speech_final",speaker="caller"} 2`,
		`bridge_call_seconds_count 1`,
		`bridge_media_frames_total{outcome="late"} 0`,
		`bridge_media_frames_total{outcome="skipped"} 0`,
		`bridge_calls 0`,
		`bridge_journal_events_total 4`,
		`bridge_journal_healthy 1`,
		`bridge_api_event_streams 0`,
		`bridge_api_interims_dropped_total 0`,
		`bridge_webhook_endpoint_state{endpoint="default",state="open"} 1`,
		`bridge_webhook_delivery_seconds_count{endpoint="default"}`,
		`bridge_webhook_attempts_total{endpoint="default",result="2xx"}`,
		`bridge_info{version=`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if strings.Contains(body, "+15550100001") {
		t.Error("a phone number is in the metrics")
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		if strings.HasPrefix(p.Metric, "bridge_") {
			t.Errorf("%s: %s", p.Metric, p.Text)
		}
	}
	if t.Failed() {
		t.Logf("%s", body)
	}
}
