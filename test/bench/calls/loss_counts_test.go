package main

import (
	"strings"
	"testing"
)

func TestLossesAreAddedUpAndPrinted(t *testing.T) {
	losses := lossesIn(`# HELP bridge_media_frames_total Messages.
# TYPE bridge_media_frames_total counter
bridge_media_frames_total{outcome="late"} 3
bridge_media_frames_total{outcome="placed"} 1e+06
bridge_media_silence_seconds_total 1.25
bridge_recognizer_setbacks_total{cause="closed"} 2
bridge_recognizer_setbacks_total{cause="dial"} 5
bridge_recognizer_setbacks_total_of_others 100
`)
	if len(losses) != len(counts) {
		t.Errorf("%d counts, want all %d", len(losses), len(counts))
	}
	if got, want := lossLine(losses), ", late 3, silence_seconds 1.25, recognizer_setbacks 7"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := lossLine(lossesIn("")); got != ", late 0" {
		t.Errorf("without a loss the line says %q", got)
	}
	if got := lossLine(nil); got != "" {
		t.Errorf("the relay, which counts nothing, says %q", got)
	}
}

func TestWhatIsWrongMakesAStrictRunFail(t *testing.T) {
	fine := measurement{Server: "bridge", Calls: 4, Finals: 9, Utterances: 9}
	if err := fine.wrong(); err != nil {
		t.Errorf("nothing is wrong, but %v", err)
	}
	for want, change := range map[string]func(*measurement){
		"1 refused":    func(m *measurement) { m.Load.Refused = 1 },
		"2 failed":     func(m *measurement) { m.Load.Failed = 2 },
		"3 not closed": func(m *measurement) { m.Load.Open = 3 },
		"1 of 9 utter": func(m *measurement) { m.Utterances = 8 },
		"0 of 0 utter": func(m *measurement) { m.Finals, m.Utterances = 0, 0 },
	} {
		m := fine
		change(&m)
		if err := m.wrong(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
