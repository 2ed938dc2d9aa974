package main

import (
	"bytes"
	"cmp"
	"context"
	_ "embed" // the caller's voice
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
	"aldeabridge/events"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks"
	"aldeabridge/webhooks/webhooktest"
)

//go:embed voice/caller.wav
var callerWAV []byte

// markerText is what the caller says where speech cannot be recognized: tones, one utterance a line.
var markerText = []string{
	"hello I would like an appointment",
	"tomorrow morning if you can",
	"thank you and goodbye",
}

type demoCmd struct {
	File   string  `arg:"" optional:"" help:"WAV file the caller says instead of the recorded voice."`
	JSON   bool    `name:"json" help:"Print each event and delivery as a line of JSON."`
	Source string  `default:"auto" enum:"auto,speech,marker" help:"Recognizer: speech (offline speech recognition), marker (it reads words from tones), or auto (speech where installed, else marker)."`
	Speed  float64 `default:"1" placeholder:"X" help:"Call X times faster than real time (${default})."`
	Bot    bool    `help:"A webhook that talks back: the caller asks, is answered, interrupts, and is hung up on. Needs espeak-ng or flite."`
	Save   string  `placeholder:"DIR" type:"path" help:"Directory in which --bot saves both sides of the call as WAV files (a new one among the temporary files)."`
}

// A scene is what a demo plays: a recognizer and what the caller says to it.
type scene struct {
	source  sandbox.Source
	caller  []byte // µ-law, 8000 Hz
	name    string // of the recording
	missing string // why speech is not recognized, or empty
	tones   bool   // speech is not recognized: the caller says tones
}

// Validate rejects what does not go together.
func (c *demoCmd) Validate() error {
	switch {
	case c.Bot && c.File != "":
		return errors.New("--bot: the caller of the dialogue has a recording of his own; leave the file out")
	case c.Bot && c.Speed != 1:
		return errors.New("--bot: a dialogue runs in real time; leave --speed out")
	case c.Save != "" && !c.Bot:
		return errors.New("--save: only with --bot")
	case c.File != "":
		return checkFiles(c.File)
	}
	return nil
}

// Run plays the demo: a recognizer, a bridge, a webhook receiver and one call, all in this process on free
// ports. It fails unless the receiver got every event of the call, verified and in order.
func (c *demoCmd) Run(ctx context.Context, term terminal, logger *slog.Logger) (err error) {
	scene, err := c.scene()
	if err != nil {
		return err
	}
	recognizer := sandbox.New(sandbox.Options{Source: scene.source})
	defer func() { err = errors.Join(err, recognizer.Close()) }()
	value := newWebhookSecret()
	receiver := webhooktest.New(value)
	defer receiver.Close()
	parsed, err := webhooks.ParseSecrets(value)
	if err != nil {
		return err
	}
	o := options{
		Listen:     "127.0.0.1:0",
		MaxCalls:   10,
		Grace:      20 * time.Second,
		WebhookURL: receiver.URL,
		Aldea: aldeaOptions{
			URL: recognizer.URL, SampleRate: 16000, Language: "en", Endpointing: "500", UtteranceEndMS: 1500,
		},
		Journal: journalOptions{inMemory: true},
		secrets: secrets{aldeaKey: "org_demo", webhook: parsed},
	}
	show := newScreen(term, c.JSON)
	hear := show.event
	var talk *dialogue
	if c.Bot {
		// Flite speaks English only, and better.
		if o.Voice.Engine = installedVoice("flite", "espeak-ng"); o.Voice.Engine == "none" {
			return errors.New("demo: the bot has no voice: install espeak-ng or flite")
		}
		if c.Save != "" {
			if err := os.MkdirAll(c.Save, 0o755); err != nil {
				return fmt.Errorf("--save: %w", err)
			}
		}
		talk = newDialogue(scene, show.answer)
		receiver.Script(talk.answer)
		hear = func(e events.Event) { show.event(e); talk.event(e) }
	}
	quiet := slog.New(slog.DiscardHandler)
	if logger.Enabled(ctx, slog.LevelDebug) {
		quiet = logger
	}
	srv, err := newServer(o, hooks{event: hear, attempt: show.attempt}, quiet)
	if err != nil {
		return err
	}
	serving, stop := context.WithCancel(ctx)
	defer stop()
	served := make(chan error, 1)
	go func() { served <- srv.run(serving) }()

	show.begin(scene, srv, receiver.URL)
	carrier := &mediatest.Call{
		URL: srv.mediaURL(), CallSID: newSID("CA"), StreamSID: newSID("MZ"),
		From: "+15550100001", To: "+15550100002", Inbound: scene.caller, Speed: c.Speed,
	}
	if talk != nil {
		talk.lead(carrier)
	}
	result, callErr := carrier.Run(ctx)
	// The call is over: stopping the server finishes it and its deliveries.
	stop()
	if err := errors.Join(callErr, <-served, ctx.Err()); err != nil {
		return err
	}
	if talk == nil {
		return show.end(receiver)
	}
	files, err := talk.save(c.Save, result)
	if err != nil {
		return err
	}
	show.saved(files)
	return errors.Join(show.end(receiver), talk.check(result))
}

// scene chooses the recognizer and the audio of the caller.
func (c *demoCmd) scene() (scene, error) {
	source := sandbox.Marker()
	var missing error
	if c.Source != "marker" {
		speech, err := sandbox.Speech(sandbox.SpeechOptions{})
		if err == nil {
			source = speech
		} else if missing = err; c.Source == "speech" {
			return scene{}, err
		}
	}
	if c.Source == "marker" || missing != nil {
		s := scene{source: source, name: "the built-in text, as tones", tones: true}
		if missing != nil {
			s.missing = missing.Error()
		}
		if c.File != "" {
			return scene{}, fmt.Errorf("%s: only offline speech recognition can hear a recording: %s", filepath.Base(c.File), cmp.Or(s.missing, "not with --source marker"))
		}
		s.caller = mulaw(marker.EncodeUtterances(markerText, time.Second))
		return s, nil
	}
	if c.File != "" {
		v, err := readVoices(c.File)
		return scene{source: source, caller: v.inbound, name: filepath.Base(c.File)}, err
	}
	w, err := codec.ReadWAV(bytes.NewReader(callerWAV))
	if err != nil {
		return scene{}, err
	}
	return scene{source: source, caller: mulaw(w.Samples), name: "the built-in recording"}, nil
}
