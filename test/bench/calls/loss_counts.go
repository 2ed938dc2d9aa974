package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// A count is something lost, or put in its place, as bridge counts it itself.
type count struct{ name, metric string }

// counts are all of them. Those of frames and silence are of calls that ended.
var counts = []count{
	{"late", `bridge_media_frames_total{outcome="late"}`},
	{"duplicate", `bridge_media_frames_total{outcome="duplicate"}`},
	{"bad", `bridge_media_frames_total{outcome="bad"}`},
	{"skipped", `bridge_media_frames_total{outcome="skipped"}`},
	{"silence_seconds", "bridge_media_silence_seconds_total"},
	{"gap_seconds", "bridge_audio_gap_seconds_total"},
	{"recognizer_setbacks", "bridge_recognizer_setbacks_total"},
	{"recognizer_losses", "bridge_recognizer_losses_total"},
	{"events_lost", "bridge_events_lost_total"},
	{"journal_failures", "bridge_journal_failures_total"},
	{"attempts_lost", "bridge_journal_attempts_lost_total"},
	{"webhooks_given_up", "bridge_webhook_dead_total"},
	{"actions_late", "bridge_actions_late_total"},
}

// lossesIn adds up the counts in a text of Prometheus's format. One that is not there is 0: its kind has not happened.
func lossesIn(text string) map[string]float64 {
	losses := map[string]float64{}
	for _, c := range counts {
		losses[c.name] = 0
		for line := range strings.Lines(text) {
			series, value, _ := strings.Cut(strings.TrimSpace(line), " ") // none of their labels has a space
			if series == c.metric || strings.HasPrefix(series, c.metric+"{") {
				n, _ := strconv.ParseFloat(value, 64)
				losses[c.name] += n
			}
		}
	}
	return losses
}

// readLosses asks a bridge.
func readLosses(address string) (map[string]float64, error) {
	resp, err := http.Get("http://" + address + "/metrics")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("/metrics: %s", resp.Status)
	}
	return lossesIn(string(b)), err
}

// lossLine is what was counted, for people: frames that came late, and all else that is not 0.
func lossLine(losses map[string]float64) string {
	var b strings.Builder
	for i, c := range counts {
		if n, ok := losses[c.name]; ok && (i == 0 || n != 0) {
			fmt.Fprintf(&b, ", %s %g", c.name, n)
		}
	}
	return b.String()
}
