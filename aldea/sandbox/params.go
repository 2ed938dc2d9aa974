package sandbox

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Params are what a client asked for in its URL, defaults filled in.
type Params struct {
	Path         string        // for instance "/v1/listen"
	Key          string        // the API key, for a Source that chooses by it; inspection shows only its hash
	SampleRate   int           // Hz; once the audio is known to be a WAV file or compressed, the rate of the decoded audio
	Channels     int           // of samples without a container, interleaved; they are mixed to one, as the service does with all audio
	Encoding     string        // lower case; empty means: detect
	Interim      bool          // send non-final results
	Endpointing  time.Duration // silence that ends an utterance; negative means never
	UtteranceEnd time.Duration // silence between words that brings UtteranceEnd; zero means never
	VADEvents    bool          // send SpeechStarted
	Language     string
	Keywords     []string
	Redact       []string
	RedactMode   string
	Script       string // x_script, not part of the service's protocol: a script by name or in full
}

// Limits of numbers in the URL. The service documents none; these are generous.
const (
	minSampleRate   = 8000
	maxSampleRate   = 48000
	maxEndpointing  = 10 * time.Second
	maxUtteranceEnd = 60 * time.Second
)

// documented encodings, beside "linear16" and "s16le", which only the samples use.
var (
	rawEncodings       = []string{"linear16", "pcm", "s16le"}
	g711Encodings      = []string{"mulaw", "alaw"}
	containerEncodings = []string{"mp3", "aac", "flac", "wav", "ogg", "webm", "opus", "m4a"}
	aldeaLanguages     = []string{"en", "en-us", "es", "es-es", "auto"}
)

// raw reports whether the audio is samples without any container.
func (p Params) raw() bool {
	return slices.Contains(rawEncodings, p.Encoding) || slices.Contains(g711Encodings, p.Encoding)
}

// query reads parameters one by one and keeps the first error.
type query struct {
	values url.Values
	err    error
}

func (q *query) first(names ...string) (string, string, bool) {
	for _, name := range names {
		if v, ok := q.values[name]; ok && len(v) > 0 {
			return name, v[0], true
		}
	}
	return "", "", false
}

func (q *query) fail(name, value, want string) {
	if q.err == nil {
		q.err = fmt.Errorf("invalid value %q for %s: %s", value, name, want)
	}
}

func (q *query) text(fallback string, names ...string) string {
	if _, v, ok := q.first(names...); ok {
		return strings.ToLower(v)
	}
	return fallback
}

func (q *query) flag(name string, fallback bool) bool {
	_, v, ok := q.first(name)
	switch {
	case !ok:
		return fallback
	case strings.EqualFold(v, "true"):
		return true
	case strings.EqualFold(v, "false"):
		return false
	}
	q.fail(name, v, "want true or false")
	return fallback
}

func (q *query) number(name string, fallback, least, most int) int {
	_, v, ok := q.first(name)
	if !ok {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		q.fail(name, v, fmt.Sprintf("want a whole number from %d to %d", least, most))
		return fallback
	}
	return n
}

func (q *query) millis(name string, fallback, most time.Duration) time.Duration {
	n := q.number(name, int(fallback/time.Millisecond), 0, int(most/time.Millisecond))
	return time.Duration(n) * time.Millisecond
}

// endpointing is a number of milliseconds, "false" for never, or "true" for the server's own value.
func (q *query) endpointing(fallback time.Duration) time.Duration {
	switch _, v, _ := q.first("endpointing"); strings.ToLower(v) {
	case "false":
		return -1
	case "true":
		return fallback
	}
	return q.millis("endpointing", fallback, maxEndpointing)
}

// parseParams reads the URL of a request. Unknown parameters are ignored, bad ones are an error unless the
// server is lenient.
func (o *Options) parseParams(u *url.URL) (Params, error) {
	values, err := url.ParseQuery(u.RawQuery)
	q := &query{values: values}
	if err != nil {
		q.err = fmt.Errorf("malformed query: %w", err)
	}
	deepgram := o.Profile == ProfileDeepgram
	p := Params{
		Path:         u.Path,
		SampleRate:   q.number("sample_rate", 16000, minSampleRate, maxSampleRate),
		Channels:     q.number("channels", 1, 1, maxChannels),
		Encoding:     o.encoding(q, u.Path),
		Interim:      q.flag("interim_results", !deepgram),
		Endpointing:  q.endpointing(o.Endpointing),
		UtteranceEnd: q.millis("utterance_end_ms", 0, maxUtteranceEnd),
		VADEvents:    q.flag("vad_events", false),
		Language:     q.text("en", "language", "lang"),
		Keywords:     values["keywords"],
		Redact:       values["redact"],
		RedactMode:   q.text("", "redact_mode"),
		Script:       values.Get("x_script"),
	}
	if !deepgram && !slices.Contains(aldeaLanguages, p.Language) {
		q.fail("language", p.Language, "only English and Spanish are supported")
		p.Language = "en"
	}
	if o.Lenient {
		return p, nil
	}
	return p, q.err
}

// encoding reads the encoding. /v1/listen/pcm takes samples only.
func (o *Options) encoding(q *query, path string) string {
	fallback := ""
	if path == pathPCM {
		fallback = "linear16"
	}
	name := q.text(fallback, "encoding", "format", "codec")
	if name == fallback || slices.Contains(rawEncodings, name) {
		return name
	}
	if o.G711 && slices.Contains(g711Encodings, name) {
		return name
	}
	if path != pathPCM && slices.Contains(containerEncodings, name) {
		return name
	}
	q.fail("encoding", name, "unknown or not supported here")
	return fallback
}
