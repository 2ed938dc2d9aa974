package main

import (
	"bytes"
	"encoding/base64"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/voice/voicetest"
	"aldeabridge/media/mediatest"
)

// heardBy runs a call that says something and returns what its caller heard, without the silence around it.
func heardBy(t *testing.T, w *world, c *mediatest.Call) []byte {
	t.Helper()
	c.Record = true
	result, err := c.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return bytes.Trim(result.Heard, "\xff\x7f")
}

func TestAWebhookSpeaksAndPlays(t *testing.T) {
	services := voicetest.NewServer()
	defer services.Close()
	services.Key = "secret"
	recorded := voicetest.MuLaw("a recording") // a tone
	for name, c := range map[string]struct {
		action string
		want   []byte
		text   string
	}{
		"say":  {`{"type":"say","id":"x","text":"hello there"}`, voicetest.MuLaw("hello there"), "hello there"},
		"play": {`{"type":"play","id":"x","format":"mulaw","audio":"` + base64.StdEncoding.EncodeToString(recorded) + `"}`, recorded, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) {
				o.Voice = voiceOptions{Engine: "deepgram", URL: services.URL}
				o.secrets.voiceKey = "secret"
			})
			answering(w.webhook, events.TypeUtteranceFinal, `{"actions":[`+c.action+`,{"type":"hangup"}]}`)
			got := heardBy(t, w, w.call("CA1", append(say("hello"), silence(30*time.Second)...)))
			if want := bytes.Trim(c.want, "\xff\x7f"); !bytes.Equal(got, want) {
				t.Errorf("got %d bytes of audio, want the %d of the service", len(got), len(want))
			}
			w.ended(t, 1)
			finished := of[events.PlaybackFinished](w.delivered(t)["CA1"])
			if len(finished) != 1 || finished[0].ActionID != "x" || finished[0].HeardText != c.text || finished[0].InterruptedBy != nil {
				t.Errorf("got %+v, want one playback heard to its end", finished)
			}
		})
	}
}

func TestWhatAVoiceCannotSayIsTold(t *testing.T) {
	t.Parallel()
	services := voicetest.NewServer()
	defer services.Close()
	services.Answer(voicetest.Fault{Status: 401})
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) {
		o.Voice = voiceOptions{Engine: "openai", URL: services.URL + "/v1"}
		o.secrets.voiceKey = "not-the-secret"
		o.allowed = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}
	})
	answering(w.webhook, events.TypeUtteranceFinal, `{"actions":[{"type":"say","text":"hello"},{"type":"hangup"}]}`)
	if _, err := w.call("CA1", append(say("hello"), silence(30*time.Second)...)).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	failed := of[events.ActionFailed](w.delivered(t)["CA1"])
	if len(failed) != 1 || !strings.HasPrefix(failed[0].Reason, "openai answered 401") || strings.Contains(failed[0].Reason, "not-the-secret") {
		t.Errorf("got %+v, want the say refused with 401, and no key in it", failed)
	}
}

func TestAServiceIsNotAskedWithoutAKey(t *testing.T) {
	for name, variable := range serviceKeys {
		if _, err := (&voiceOptions{Engine: name}).engine(""); err == nil || !strings.Contains(err.Error(), variable) {
			t.Errorf("%s: got %v, want %s asked for", name, err, variable)
		}
		if _, err := (&voiceOptions{Engine: name, Name: "x", URL: "http://127.0.0.1:8880/v1"}).engine(""); err != nil {
			t.Errorf("%s: got %v, want a server of one's own without a key", name, err)
		}
	}
}

func TestARouteHasAVoice(t *testing.T) {
	t.Parallel()
	services := voicetest.NewServer()
	defer services.Close()
	config := writeConfig(t, "routes:\n- to: [\"+15550100002\"]\n  voice: aura-2-celeste-es\n")
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) {
		o.Config, o.Voice = config, voiceOptions{Engine: "deepgram", URL: services.URL}
		o.secrets.voiceKey = "any"
	})
	answering(w.webhook, events.TypeUtteranceFinal, `{"actions":[{"type":"say","text":"hola"},{"type":"say","text":"hi","voice":"aura-2-thalia-en"},{"type":"hangup"}]}`)
	c := w.call("CA1", append(say("hello"), silence(30*time.Second)...))
	c.To = "+15550100002"
	if _, err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	var voices []string
	for _, r := range services.Requests() {
		voices = append(voices, strings.Join(r.Query["model"], ","))
	}
	slices.Sort(voices)
	if want := []string{"aura-2-celeste-es", "aura-2-thalia-en"}; !slices.Equal(voices, want) {
		t.Errorf("got %q, want %q", voices, want)
	}
}
