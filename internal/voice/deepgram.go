package voice

import (
	"context"
	"net/http"
	"net/url"
)

// DeepgramConfig is how POST /v1/speak of Deepgram is asked. A model is a voice there.
type DeepgramConfig struct {
	// ServiceConfig's BaseURL defaults to https://api.deepgram.com, Voices.Default to "aura-2-thalia-en". Model is not used.
	ServiceConfig
}

type deepgram struct{ *service }

// NewDeepgram returns the engine of Deepgram. It must be closed if no Speaker does. The error is about the configuration.
func NewDeepgram(c DeepgramConfig) (Engine, error) {
	s, err := c.service("deepgram", "https://api.deepgram.com", "")
	if err != nil {
		return nil, err
	}
	return &deepgram{s}, nil
}

func (e *deepgram) Identity() string { return e.identity() }

const deepgramMost = 2000 // runes the service takes

func (e *deepgram) Speak(ctx context.Context, r Request) (Stream, error) {
	voice := e.voices.choose(r, "aura-2-thalia-en")
	return speakPieces(ctx, e.name, pieces(r.Text, deepgramMost), func(ctx context.Context, text string) (Stream, error) {
		return e.audio(ctx, order{
			path:   []string{"v1", "speak"},
			query:  url.Values{"model": {voice}, "encoding": {"mulaw"}, "sample_rate": {"8000"}, "container": {"none"}},
			header: http.Header{"Authorization": {"Token " + string(e.key)}},
			body: struct {
				Text string `json:"text"`
			}{text},
			text: text,
		}, MuLaw)
	})
}
