package voice

import (
	"context"
	"net/http"
)

// CartesiaConfig is how POST /tts/bytes of Cartesia is asked.
type CartesiaConfig struct {
	// ServiceConfig's BaseURL defaults to https://api.cartesia.ai, Model to "sonic-3", Voices.Default to the voice of the
	// service's own examples. Voices are ids.
	ServiceConfig
	// Version is the Cartesia-Version header. It defaults to "2026-03-01".
	Version string
}

type cartesia struct {
	*service
	version string
}

// NewCartesia returns the engine of Cartesia. It must be closed if no Speaker does. The error is about the configuration.
func NewCartesia(c CartesiaConfig) (Engine, error) {
	s, err := c.service("cartesia", "https://api.cartesia.ai", "sonic-3")
	if err != nil {
		return nil, err
	}
	if c.Version == "" {
		c.Version = "2026-03-01"
	}
	return &cartesia{s, c.Version}, nil
}

func (e *cartesia) Identity() string { return e.identity(e.version) }

func (e *cartesia) Speak(ctx context.Context, r Request) (Stream, error) {
	type voice struct {
		Mode string `json:"mode"`
		ID   string `json:"id"`
	}
	type output struct {
		Container string `json:"container"`
		Encoding  string `json:"encoding"`
		Rate      int    `json:"sample_rate"`
	}
	o := order{path: []string{"tts", "bytes"}, text: r.Text, header: http.Header{}}
	o.header.Set("Authorization", "Bearer "+string(e.key))
	o.header.Set("Cartesia-Version", e.version)
	o.body = struct {
		Model      string `json:"model_id"`
		Transcript string `json:"transcript"`
		Voice      voice  `json:"voice"`
		Language   string `json:"language,omitempty"`
		Output     output `json:"output_format"`
	}{
		e.model, r.Text, voice{"id", e.voices.choose(r, "a0e99841-438c-4a64-b679-ae501e7d6091")}, primary(r.Language),
		output{"raw", "pcm_mulaw", 8000},
	}
	return e.audio(ctx, o, MuLaw)
}
