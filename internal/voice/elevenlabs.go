package voice

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
)

// ElevenLabsConfig is how POST /v1/text-to-speech/{voice_id}/stream of ElevenLabs is asked.
type ElevenLabsConfig struct {
	// ServiceConfig's BaseURL defaults to https://api.elevenlabs.io, Model to "eleven_flash_v2_5", Voices.Default to the voice
	// of the service's own examples. Voices are ids.
	ServiceConfig
	// NoTimes asks for the audio alone. Otherwise the variant with timestamps is asked, and there are Words.
	NoTimes bool
}

type elevenLabs struct {
	*service
	times bool
}

// NewElevenLabs returns the engine of ElevenLabs. It must be closed if no Speaker does. The error is about the configuration.
func NewElevenLabs(c ElevenLabsConfig) (Engine, error) {
	s, err := c.service("elevenlabs", "https://api.elevenlabs.io", "eleven_flash_v2_5")
	if err != nil {
		return nil, err
	}
	return &elevenLabs{s, !c.NoTimes}, nil
}

func (e *elevenLabs) Identity() string { return e.identity(e.times) }

// Speak asks for µ-law and, where the account or the voice does not allow that, for PCM.
func (e *elevenLabs) Speak(ctx context.Context, r Request) (Stream, error) {
	voice := e.voices.choose(r, "JBFqnCBsd6RMkjVDRZzb")
	if voice == "." || voice == ".." {
		return nil, &Error{Engine: e.name, Reason: "it has no such voice"}
	}
	s, err := e.speak(ctx, r, voice, "ulaw_8000", MuLaw)
	if refusal := (*Error)(nil); errors.As(err, &refusal) && strings.Contains(refusal.Reason, "output_format") {
		return e.speak(ctx, r, voice, "pcm_16000", Linear16(16000))
	}
	return s, err
}

func (e *elevenLabs) speak(ctx context.Context, r Request, voice, format string, f Format) (Stream, error) {
	o := order{
		path:   []string{"v1", "text-to-speech", url.PathEscape(voice), "stream"},
		query:  url.Values{"output_format": {format}},
		header: http.Header{"Xi-Api-Key": {string(e.key)}},
		text:   r.Text,
	}
	o.body = struct {
		Text     string `json:"text"`
		Model    string `json:"model_id"`
		Language string `json:"language_code,omitempty"`
	}{r.Text, e.model, e.language(r)}
	if !e.times {
		return e.audio(ctx, o, f)
	}
	o.path = append(o.path, "with-timestamps")
	resp, w, err := e.ask(ctx, o) //nolint:bodyclose // the download closes it
	if err != nil {
		return nil, err
	}
	body, err := e.body(resp, w)
	if err != nil {
		w.stop()
		_ = resp.Body.Close()
		return nil, failed(e.name, err)
	}
	lines := newAligned(body, f, r.Text)
	return &download{e.service, r.Text, w, resp.Body, newReader(lines, f, true), lines.Words}, nil
}

// language is what to tell the model about the language: the older ones refuse to be told.
func (e *elevenLabs) language(r Request) string {
	if strings.Contains(e.model, "v2_5") || strings.Contains(e.model, "v3") {
		return primary(r.Language)
	}
	return ""
}
