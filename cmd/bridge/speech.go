package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/call"
	"aldeabridge/internal/config"
	"aldeabridge/internal/voice"
)

// voiceOptions selects the engine that speaks to callers.
type voiceOptions struct {
	Engine     string `env:"VOICE_ENGINE" default:"auto" enum:"auto,espeak-ng,flite,openai,cartesia,deepgram,elevenlabs,none" help:"Who speaks to callers: ${enum}; auto is espeak-ng or flite, where installed."`
	Name       string `env:"VOICE_NAME" placeholder:"VOICE" help:"The engine's name for the voice that speaks unless an action names one (the engine's default)."`
	Model      string `env:"VOICE_MODEL" placeholder:"MODEL" help:"The service's model (the service's default)."`
	URL        string `name:"url" env:"VOICE_URL" placeholder:"URL" help:"Base URL of the service, or of one that speaks its protocol (the service's own)."`
	Format     string `env:"VOICE_FORMAT" default:"pcm" enum:"pcm,wav" help:"What a server of OpenAI's protocol is asked for: ${enum}; wav where pcm is not 24000 Hz."`
	CacheBytes int64  `env:"VOICE_CACHE_BYTES" default:"268435456" placeholder:"N" help:"How much speech is kept, to be said again at once (${default}); 0 keeps none."`
}

// serviceKeys is where the key of a service is looked for if VOICE_API_KEY is not set.
var serviceKeys = map[string]string{
	"openai": "OPENAI_API_KEY", "cartesia": "CARTESIA_API_KEY", "deepgram": "DEEPGRAM_API_KEY", "elevenlabs": "ELEVENLABS_API_KEY",
}

// engine returns the engine that speaks, or nil if none is wanted or installed.
func (o *voiceOptions) engine(key string) (voice.Engine, error) {
	local := o.Engine == "auto" || o.Engine == "espeak-ng" || o.Engine == "flite" || o.Engine == "none"
	if local && (o.URL != "" || o.Model != "") {
		return nil, fmt.Errorf("VOICE_URL, VOICE_MODEL: they are those of a service; VOICE_ENGINE is %s", o.Engine)
	}
	name := o.Engine
	if name == "auto" {
		name = installedVoice("espeak-ng", "flite")
	}
	if variable, ok := serviceKeys[name]; ok && key == "" && o.URL == "" {
		return nil, fmt.Errorf("VOICE_ENGINE: %s needs a key: VOICE_API_KEY or %s", name, variable)
	}
	service := voice.ServiceConfig{BaseURL: o.URL, Key: voice.Key(key), Voices: voice.Voices{Default: o.Name}, Model: o.Model}
	var engine voice.Engine
	var err error
	switch name {
	case "none":
		return nil, nil
	case "espeak-ng":
		engine, err = voice.NewESpeak(voice.ESpeakConfig{Voices: voice.Voices{Default: o.Name}})
	case "flite":
		engine, err = voice.NewFlite(voice.FliteConfig{Voice: o.Name})
	case "openai":
		engine, err = voice.NewOpenAI(voice.OpenAIConfig{ServiceConfig: service, Format: o.Format})
	case "cartesia":
		engine, err = voice.NewCartesia(voice.CartesiaConfig{ServiceConfig: service})
	case "deepgram":
		engine, err = voice.NewDeepgram(voice.DeepgramConfig{ServiceConfig: service})
	case "elevenlabs":
		engine, err = voice.NewElevenLabs(voice.ElevenLabsConfig{ServiceConfig: service})
	}
	if err != nil {
		return nil, fmt.Errorf("VOICE_ENGINE: %w", err)
	}
	return engine, nil
}

// installedVoice is the first of these engines that is installed, or "none".
func installedVoice(programs ...string) string {
	for _, program := range programs {
		if _, err := exec.LookPath(program); err == nil {
			return program
		}
	}
	return "none"
}

// A speech makes audio for callers.
type speech struct {
	speaker *voice.Speaker // nil: none is installed or wanted
	fetcher *voice.Fetcher
	cache   *voice.Cache // nil: nothing is kept

	failed func(action actions.Type, err error) // counts audio that failed

	voice, language string // of a say that names neither; empty for the engine's
}

// as is the same speech with the voice and the language of a route.
func (s *speech) as(r config.Route) *speech {
	own := *s
	if own.voice = r.Voice; r.Language != "auto" {
		own.language = r.Language
	}
	return &own
}

// newSpeech returns the speech of a server. It must be closed.
func (s *server) newSpeech() (*speech, error) {
	o := s.options.Voice
	engine, err := o.engine(s.options.secrets.voiceKey)
	if err != nil {
		return nil, err
	}
	made := &speech{fetcher: voice.NewFetcher(voice.FetcherConfig{Guard: s.strangers(), Logger: s.logger}), failed: s.metrics.audioFailed}
	if engine == nil {
		if o.Engine == "auto" {
			s.logger.Info("no voice: a say will fail; install espeak-ng or flite, or set VOICE_ENGINE")
		}
		return made, nil
	}
	if strings.HasPrefix(o.URL, "http://") && s.options.secrets.voiceKey != "" {
		s.logger.Warn("VOICE_URL is http: the key and all that is said travel in the clear")
	}
	var cache *voice.Cache
	if o.CacheBytes > 0 && !s.options.Journal.inMemory {
		dir, err := s.options.dataDir()
		if err != nil {
			return nil, err
		}
		if cache, err = voice.NewCache(filepath.Join(dir, "speech"), o.CacheBytes); err != nil {
			s.logger.Warn("speech is not kept: each text is made anew", "err", err)
			cache = nil
		}
	}
	made.speaker, made.cache = voice.NewSpeaker(engine, cache), cache
	made.speaker.Logger = s.logger
	return made, nil
}

// Say makes speech.
func (s *speech) Say(ctx context.Context, _ events.Call, say actions.Say) (call.Audio, error) {
	if s.speaker == nil {
		return nil, errors.New("this server has no voice: install espeak-ng or flite, or set VOICE_ENGINE")
	}
	r := voice.Request{Text: say.Text, Voice: say.Voice, Language: say.Language}
	if r.Voice == "" && r.Language == "" {
		r.Voice, r.Language = s.voice, s.language
	}
	a, err := s.speaker.Say(ctx, r)
	return s.made(actions.TypeSay, a, err)
}

// Play gets a recording.
func (s *speech) Play(ctx context.Context, _ events.Call, play actions.Play) (call.Audio, error) {
	if play.URL != "" {
		a, err := s.fetcher.Fetch(ctx, play.URL)
		return s.made(actions.TypePlay, a, err)
	}
	a, err := voice.Decode(ctx, play.Audio, formats[play.Format])
	return s.made(actions.TypePlay, a, err)
}

// formats says how the bytes of a play are to be read.
var formats = map[actions.Format]voice.Format{
	actions.WAV: {}, actions.MuLaw: voice.MuLaw, actions.ALaw: voice.ALaw, actions.L16: voice.Linear16(8000),
}

func (s *speech) close() {
	if s.speaker != nil {
		s.speaker.Close()
	}
	s.fetcher.Close()
}

// audio is what voice makes, in call's words.
type audio struct {
	*voice.Audio
	action actions.Type
	failed func(actions.Type, error)
}

func (s *speech) made(action actions.Type, a *voice.Audio, err error) (call.Audio, error) {
	if err != nil {
		s.failed(action, err)
		return nil, withoutRoom(err)
	}
	return audio{a, action, s.failed}, nil
}

// Next returns the next piece, and an error in the words of an action.failed.
func (a audio) Next(ctx context.Context) ([]byte, error) {
	piece, err := a.Audio.Next(ctx)
	if err != nil && !errors.Is(err, io.EOF) && ctx.Err() == nil {
		a.failed(a.action, err)
	}
	return piece, withoutRoom(err)
}

// audioFailed counts audio that failed while it was being played or fetched.
func (m *metrics) audioFailed(action actions.Type, err error) {
	if cause := voice.CauseOf(err); cause != voice.CauseStopped {
		m.unheard.WithLabelValues(string(action), string(cause)).Inc()
	}
}

// withoutRoom is an error without the room it comes from.
func withoutRoom(err error) error {
	if err == nil {
		return nil
	}
	if text, ok := strings.CutPrefix(err.Error(), "voice: "); ok {
		return errors.New(text)
	}
	return err
}

// Words are those made so far.
func (a audio) Words() []call.Word {
	return convert(a.Audio.Words(), func(w voice.Word) call.Word { return call.Word(w) })
}
