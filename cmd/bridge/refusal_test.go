package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/webhooks/webhooktest"
)

func TestAListenThatTheRecognizerRefusesIsToldAndTheCallGoesOn(t *testing.T) {
	for name, c := range map[string]struct {
		languages []string
		listen    string
		reason    string
	}{
		"a language that is not known":         {nil, `"language":"de"`, `field "language": "de" is not one that the recognizer knows (en, `},
		"one that the docs of old named":       {nil, `"language":"multi"`, `ALDEA_LANGUAGES allows others`},
		"one that only the recognizer refuses": {[]string{"en", "de"}, `"language":"de"`, "400 Bad Request: "},
		"any, where all are allowed":           {[]string{"*"}, `"language":"sv"`, "the settings before it go on"},
		"keywords beyond all addresses": {nil, `"keywords":["` + strings.Repeat(strings.Repeat("ä", 99)+`","`, 20) + `x"]`,
			`field "keywords": make the address`},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) { o.Aldea.Languages = c.languages })
			answering(w.webhook, events.TypeCallStarted, `{"actions":[{"type":"listen","id":"l",`+c.listen+`}]}`)
			if _, err := w.call("CA1", say("first", "second")).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			w.ended(t, 1)
			got := w.delivered(t)["CA1"]
			failed := of[events.ActionFailed](got)
			if len(failed) != 1 || failed[0].ActionID != "l" || !strings.Contains(failed[0].Reason, c.reason) ||
				strings.Contains(failed[0].Reason, "Config.") || strings.Contains(failed[0].Reason, "aldea:") {
				t.Errorf("got %+v, want the action failed for %q", failed, c.reason)
			}
			if said := texts(got); strings.Join(said, "|") != "first|second" {
				t.Errorf("got %q, want both utterances", said)
			}
			for _, u := range of[events.UtteranceFinal](got) {
				if u.Utterance.Language != "en" {
					t.Errorf("got an utterance in %s, want en", u.Utterance.Language)
				}
			}
			if ready := w.ready(t); ready["recognizer"] != "ready" {
				t.Errorf("got %v, want the recognizer ready", ready)
			}
		})
	}
}

func TestAListenThatTheRecognizerTakesIsInTheUtterances(t *testing.T) {
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	answering(w.webhook, events.TypeUtteranceFinal, `{"actions":[{"type":"listen","language":"ES"}]}`)
	if _, err := w.call("CA1", append(say("first"), append(silence(2*time.Second), say("second")...)...)).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	said := of[events.UtteranceFinal](w.delivered(t)["CA1"])
	if len(said) != 2 || said[0].Utterance.Language != "en" || !strings.EqualFold(said[1].Utterance.Language, "es") {
		t.Errorf("got %+v, want the second in es", said)
	}
}

func TestARecognizerThatRefusesIsToldToTheWebhookAndReadiness(t *testing.T) {
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker(), Fault: sandbox.Fault{Status: http.StatusForbidden}}, nil)
	done := make(chan error, 1)
	go func() {
		_, err := w.call("CA1", append(say("first", "second"), silence(4*time.Second)...)).Run(t.Context())
		done <- err
	}()
	w.degraded(t)
	if ready := w.ready(t); ready["recognizer"] != "degraded" {
		t.Errorf("got %v, want the recognizer degraded", ready)
	}
	w.sandbox.SetFaults(sandbox.Faults{})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	got := w.delivered(t)["CA1"]
	if d := of[events.RecognizerDegraded](got); len(d) != 1 || d[0].Cause != "refused" {
		t.Errorf("got %+v, want it degraded once", d)
	}
	if said := texts(got); strings.Join(said, "|") != "first|second" {
		t.Errorf("got %q, want both utterances when it takes calls again", said)
	}
	if ready := w.ready(t); ready["recognizer"] != "ready" {
		t.Errorf("got %v, want the recognizer ready again", ready)
	}
}

func TestASpeakerWhoIsRefusedToTheEndHasAGap(t *testing.T) {
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker(), Fault: sandbox.Fault{Status: http.StatusUnauthorized}}, nil)
	if _, err := w.call("CA1", say("first")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	gaps := of[events.AudioGap](w.delivered(t)["CA1"])
	if len(gaps) != 1 || gaps[0].Cause != "refused" || gaps[0].From != 0 || gaps[0].To <= 0 {
		t.Errorf("got %+v, want all of it", gaps)
	}
}

// degraded waits until the webhook has been told that the recognizer is.
func (w *world) degraded(t testing.TB) {
	t.Helper()
	w.wait(t, func([]webhooktest.Request) bool { return len(of[events.RecognizerDegraded](w.delivered(t)["CA1"])) > 0 })
}

// ready is what /readyz answers.
func (w *world) ready(t testing.TB) (answer map[string]any) {
	t.Helper()
	resp, err := http.Get("http://" + w.server.listener.Addr().String() + "/readyz")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}
