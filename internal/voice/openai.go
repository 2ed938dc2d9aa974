package voice

import (
	"context"
	"fmt"
	"net/http"

	"aldeabridge/codec"
)

// OpenAIConfig is how POST /audio/speech of OpenAI is asked, or of a server that speaks its protocol.
type OpenAIConfig struct {
	// ServiceConfig's BaseURL ends in "/v1" and defaults to https://api.openai.com/v1. Key may be empty for other
	// servers. Model defaults to "gpt-4o-mini-tts", Voices.Default to "alloy".
	ServiceConfig
	// Format is the response_format: "pcm" (the default) or "wav", for servers whose PCM is of an unknown rate.
	Format string
	// PCMRate is the rate of "pcm" where the answer's content type does not say it. It defaults to 24000 Hz.
	PCMRate codec.Rate
	// Instructions are how to speak, for models that understand them.
	Instructions string
}

type openAI struct {
	*service
	format       string
	rate         codec.Rate
	instructions string
}

// NewOpenAI returns the engine of OpenAI and of servers that speak its protocol. It must be closed if no Speaker does. The
// error is about the configuration.
func NewOpenAI(c OpenAIConfig) (Engine, error) {
	s, err := c.service("openai", "https://api.openai.com/v1", "gpt-4o-mini-tts")
	if err != nil {
		return nil, err
	}
	if c.Format == "" {
		c.Format = "pcm"
	}
	if c.Format != "pcm" && c.Format != "wav" {
		return nil, &Error{Engine: s.name, Reason: fmt.Sprintf("the format %q is not possible; it is pcm or wav", c.Format)}
	}
	if c.PCMRate == 0 {
		c.PCMRate = 24000
	}
	if err := check(Linear16(c.PCMRate).header()); err != nil {
		return nil, failed(s.name, err)
	}
	return &openAI{s, c.Format, c.PCMRate, c.Instructions}, nil
}

func (e *openAI) Identity() string { return e.identity(e.format, e.rate, e.instructions) }

const openAIMost = 4000 // runes of an input; the service takes 4096

func (e *openAI) Speak(ctx context.Context, r Request) (Stream, error) {
	voice := e.voices.choose(r, "alloy")
	return speakPieces(ctx, e.name, pieces(r.Text, openAIMost), func(ctx context.Context, text string) (Stream, error) {
		o := order{path: []string{"audio", "speech"}, header: http.Header{}, text: text}
		if e.key != "" {
			o.header.Set("Authorization", "Bearer "+string(e.key))
		}
		o.body = struct {
			Model        string `json:"model"`
			Input        string `json:"input"`
			Voice        string `json:"voice"`
			Format       string `json:"response_format"`
			Instructions string `json:"instructions,omitempty"`
		}{e.model, text, voice, e.format, e.instructions}
		f := Format{}
		if e.format == "pcm" {
			f = Linear16(e.rate)
		}
		return e.audio(ctx, o, f)
	})
}
