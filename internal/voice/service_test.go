package voice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"aldeabridge/internal/voice/voicetest"
)

// services makes each engine behind HTTP against a stand-in.
func services(t *testing.T, srv *voicetest.Server, times Timeouts) map[string]Engine {
	t.Helper()
	c := ServiceConfig{BaseURL: srv.URL, Key: "k3y", Timeouts: times}
	atV1 := c
	atV1.BaseURL += "/v1"
	engines := map[string]Engine{}
	for name, make := range map[string]func() (Engine, error){
		"openai pcm":       func() (Engine, error) { return NewOpenAI(OpenAIConfig{ServiceConfig: atV1}) },
		"openai wav":       func() (Engine, error) { return NewOpenAI(OpenAIConfig{ServiceConfig: atV1, Format: "wav"}) },
		"cartesia":         func() (Engine, error) { return NewCartesia(CartesiaConfig{ServiceConfig: c}) },
		"deepgram":         func() (Engine, error) { return NewDeepgram(DeepgramConfig{c}) },
		"elevenlabs":       func() (Engine, error) { return NewElevenLabs(ElevenLabsConfig{ServiceConfig: c}) },
		"elevenlabs plain": func() (Engine, error) { return NewElevenLabs(ElevenLabsConfig{ServiceConfig: c, NoTimes: true}) },
	} {
		e, err := make()
		if err != nil {
			t.Fatal(err)
		}
		engines[name] = e
	}
	return engines
}

// same says whether audio is the stand-in's for a text, at least as loud and as long: PCM at another rate does not come back
// to the bit.
func same(got []byte, text string) bool {
	want := voicetest.MuLaw(text)
	return bytes.Equal(got, want) || len(got) >= len(want) && len(got) <= len(want)+48 && loud(got) > loud(want)*9/10
}

func TestServicesSpeak(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	srv.Key = "k3y"
	const text = "Good morning, how can I help?"
	for name, e := range services(t, srv, Timeouts{}) {
		got, words, err := say(t, e, Request{Text: text, Voice: "somebody", Language: "en-GB"})
		if err != nil || !same(got, text) {
			t.Errorf("%s: got %d bytes, %v; want the %d of the tone", name, len(got), err, len(voicetest.MuLaw(text)))
		}
		if name == "elevenlabs" {
			if len(words) != 6 || words[1].Text != "morning," || words[1].Start != 250*time.Millisecond || words[1].End != 650*time.Millisecond {
				t.Errorf("%s: got %v", name, words)
			}
		}
	}
	for _, r := range srv.Requests() {
		if !strings.Contains(fmt.Sprint(r.Path, r.Query, r.Body), "somebody") {
			t.Errorf("%s: the voice is nowhere: %s %v %v", r.Service, r.Path, r.Query, r.Body)
		}
	}
}

func TestServicesThatFail(t *testing.T) {
	const text = "My number is 555 0100."
	for _, c := range []struct {
		name  string
		fault voicetest.Fault
		want  string
		audio bool // some came before
	}{
		{"401", voicetest.Fault{Status: 401}, "answered 401 Unauthorized: it refused the API key", false},
		{"429 without a time", voicetest.Fault{Status: 429}, "answered 429 Too Many Requests: refused: key REDACTED, text …", false},
		{"503 for long", voicetest.Fault{Status: 503, RetryAfter: "60"}, "answered 503", false},
		{"500", voicetest.Fault{Status: 500}, "answered 500 Internal Server Error: refused", false},
		{"redirect", voicetest.Fault{Status: 307}, "answered 307", false},
		{"a page", voicetest.Fault{ContentType: "text/html; charset=utf-8"}, "", false},
		{"slow", voicetest.Fault{Silent: true}, "no audio within 200ms", false},
		{"slow to begin", voicetest.Fault{Delay: time.Hour}, "no audio within 200ms", false},
		{"stalls", voicetest.Fault{Stall: 4000}, "no more audio within 200ms", true},
		{"cut", voicetest.Fault{Cut: 4000}, "the connection broke in the middle of the audio", true},
	} {
		srv := voicetest.NewServer()
		times := Timeouts{}
		switch {
		case c.fault.Silent, c.fault.Delay > 0:
			times.FirstByte = 200 * time.Millisecond
		case c.fault.Stall > 0:
			times.Idle = 200 * time.Millisecond
		}
		for name, e := range services(t, srv, times) {
			srv.Answer(c.fault)
			got, _, err := say(t, e, Request{Text: text})
			engine, _, _ := strings.Cut(name, " ")
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "voice: "+engine) {
				t.Errorf("%s: %s: got %v, want %q in it", name, c.name, err, c.want)
				continue
			}
			if strings.Contains(err.Error(), "k3y") || strings.Contains(err.Error(), "555") {
				t.Errorf("%s: %s: it tells too much: %v", name, c.name, err)
			}
			if (len(got) > 0) != c.audio {
				t.Errorf("%s: %s: got %d bytes before it", name, c.name, len(got))
			}
			if e := (*Error)(nil); !errors.As(err, &e) || e.Status != c.fault.Status {
				t.Errorf("%s: %s: got %#v, want an *Error with the status", name, c.name, err)
			}
		}
		srv.Close()
	}
}

func TestServiceIsAskedOnceMoreWhenItIsBusyForAMoment(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	busy := voicetest.Fault{Status: 429, RetryAfter: "0"}
	for name, e := range services(t, srv, Timeouts{}) {
		srv.Answer(busy)
		if got, _, err := say(t, e, Request{Text: "Hello."}); err != nil || !same(got, "Hello.") {
			t.Errorf("%s: busy once: got %d bytes, %v", name, len(got), err)
		}
		before := len(srv.Requests())
		srv.Answer(busy, busy)
		if _, _, err := say(t, e, Request{Text: "Hello."}); err == nil || len(srv.Requests()) != before+2 {
			t.Errorf("%s: busy twice: got %v after %d requests, want 2", name, err, len(srv.Requests())-before)
		}
	}
}

func TestServiceIsLeftWhenNobodyListens(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	for name, e := range services(t, srv, Timeouts{}) {
		srv.Answer(voicetest.Fault{Stall: 1600})
		s := NewSpeaker(e, nil)
		a, err := s.Say(context.Background(), Request{Text: "Hello."})
		if err != nil {
			t.Fatal(err)
		}
		if b, err := a.Next(context.Background()); len(b) == 0 || err != nil {
			t.Errorf("%s: got %d bytes, %v before the rest is made", name, len(b), err)
		}
		_ = a.Close()
		<-srv.Gone
		s.Close()
	}
}

func TestLongTextsAreSaidInPieces(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	text := strings.Repeat("This is one of many sentences. ", 150)
	for name, most := range map[string]int{"deepgram": deepgramMost, "openai pcm": openAIMost} {
		before := len(srv.Requests())
		if _, _, err := say(t, services(t, srv, Timeouts{})[name], Request{Text: text}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		said := ""
		for _, r := range srv.Requests()[before:] {
			if len(r.Text) > most {
				t.Errorf("%s: a piece of %d", name, len(r.Text))
			}
			said += r.Text + " "
		}
		if said != text {
			t.Errorf("%s: what was said is not the text", name)
		}
	}
}

func TestElevenLabsTakesPCMWhereItMay(t *testing.T) {
	srv := voicetest.NewServer()
	defer srv.Close()
	for _, name := range []string{"elevenlabs", "elevenlabs plain"} {
		srv.Answer(voicetest.Fault{Status: 403, Message: "output_format_not_allowed"})
		got, _, err := say(t, services(t, srv, Timeouts{})[name], Request{Text: "Hello there."})
		if err != nil || !same(got, "Hello there.") {
			t.Errorf("%s: got %d bytes, %v", name, len(got), err)
		}
	}
}

func TestVoicesByLanguage(t *testing.T) {
	v := Voices{Default: "anna", ByLanguage: map[string]string{"pt": "bruno", "pt-BR": "carla"}}
	for r, want := range map[Request]string{
		{}:                              "anna",
		{Language: "pt-br"}:             "carla",
		{Language: "pt-PT"}:             "bruno",
		{Language: "fr"}:                "anna",
		{Language: "pt", Voice: "dora"}: "dora",
	} {
		if got := v.choose(r, "nobody"); got != want {
			t.Errorf("%+v: got %s, want %s", r, got, want)
		}
	}
}

func TestKeysDoNotShow(t *testing.T) {
	c := ServiceConfig{Key: "k3y"}
	e, err := NewOpenAI(OpenAIConfig{ServiceConfig: c})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = e.(io.Closer).Close() }()
	for _, s := range []string{fmt.Sprint(c), fmt.Sprintf("%+v %#v %d %q %x", c, c, c.Key, c.Key, c.Key), e.Identity()} {
		if strings.Contains(s, "k3y") || strings.Contains(s, "6b3379") {
			t.Errorf("it shows: %s", s)
		}
	}
	for _, bad := range []ServiceConfig{{BaseURL: "ftp://example.com"}, {BaseURL: "example.com"}, {Key: "a\nb"}} {
		if _, err := NewDeepgram(DeepgramConfig{bad}); err == nil {
			t.Errorf("%+v: no error", bad)
		}
	}
}
