package sandbox

import (
	"cmp"
	"log/slog"
	"net"
	"time"
)

// Profile is the dialect a server speaks. The zero value is ProfileAldea.
type Profile string

// The dialects.
const (
	// ProfileAldea: Metadata at open, words as arrays in milliseconds, interims on by default.
	ProfileAldea Profile = "aldea"
	// ProfileDeepgram: Metadata at the end, words as objects in seconds, from_finalize, dg-request-id.
	ProfileDeepgram Profile = "deepgram"
	// ProfileMixed: Aldea's rules, but every message in a random legal variant of either dialect, by Options.Seed.
	ProfileMixed Profile = "mixed"
)

// BadText is what a text frame that is no known control message brings about. Aldea documents nothing here.
type BadText int

// The answers to a bad text frame.
const (
	BadTextDefault BadText = iota // ignored by ProfileAldea, an Error message by ProfileDeepgram
	BadTextIgnore                 // nothing happens
	BadTextError                  // a message of type Error, the stream goes on
	BadTextClose                  // close 1008
)

// EmptyFrame is what a binary frame without bytes brings about. Aldea documents nothing here.
type EmptyFrame int

// The answers to an empty binary frame.
const (
	EmptyFrameDefault EmptyFrame = iota // ignored by ProfileAldea, end of stream by ProfileDeepgram
	EmptyFrameIgnore                    // nothing happens
	EmptyFrameEnd                       // as if CloseStream had come
)

// Options says how a server behaves. The zero value is a strict Aldea server on a free loopback port that
// accepts every key starting with "org_" and hears the default script.
type Options struct {
	// Addr is where New listens. It defaults to "127.0.0.1:0". NewHandler does not listen.
	Addr string
	// Listener is used by New instead of Addr when set; the server closes it.
	Listener net.Listener
	// Profile is the dialect; it defaults to ProfileAldea.
	Profile Profile
	// Source is where the text comes from; it defaults to a script that says DefaultLine every five seconds.
	Source Source
	// Keys are the accepted API keys. Empty means: every key that starts with "org_" (ProfileDeepgram: every key).
	Keys []string
	// Lenient accepts every key when Keys is empty, treats bad parameters as absent instead of refusing
	// them, and lets KeepAlive count before the first audio.
	Lenient bool
	// G711 accepts encoding=mulaw and encoding=alaw. Aldea does not list them, so they are off by default;
	// ProfileDeepgram always has them.
	G711 bool
	// Endpointing is the silence that ends an utterance when the client asks for none; it defaults to
	// 300 ms (ProfileDeepgram: 10 ms). The service publishes no value.
	Endpointing time.Duration
	// LongFinal is how long an utterance grows before it gets a final without speech_final; the cut waits up
	// to two seconds more for a pause. It defaults to 6 s.
	LongFinal time.Duration
	// EmptyFinals also sends finals that hold no words: after five seconds of silence, at an end of voice without
	// words, and for a Finalize with nothing pending.
	EmptyFinals bool
	// ClosingMetadata makes ProfileAldea, too, send a Metadata with the true duration before the close.
	ClosingMetadata bool
	// IdleTimeout is how long a client may send nothing before close 1011; it defaults to 10 s. Negative: for ever.
	IdleTimeout time.Duration
	// MaxConnections limits streams at one time; beyond it the handshake gets 429. It defaults to 1000.
	MaxConnections int
	// MaxQueue is how many bytes of audio one stream may have waiting for a slow recognizer before
	// reading stops. It defaults to 32 MiB, seventeen minutes at 16 kHz: a client that pushes a whole
	// file at once must still have its pings answered.
	MaxQueue int
	// MaxBody is the size limit of a recording sent by POST; it defaults to 100 MiB.
	MaxBody int64
	// BadText and EmptyFrame choose between answers the service does not document.
	BadText    BadText
	EmptyFrame EmptyFrame
	// Plan is how the first connections misbehave, in the order of their handshakes. Handshakes that are refused
	// for other reasons (path, key, parameters, limits, an outage) do not count. SetFaults replaces it later.
	Plan []Fault
	// Next, if set, says how each connection misbehaves that Plan does not name. Handshakes are counted from 0, those
	// of Plan included. Calls come one at a time; Next must not call the server's methods.
	Next func(handshake int, p Params) Fault
	// Fault is how every connection misbehaves that neither Plan nor Next names.
	Fault Fault
	// Outage, if its For is set, is under way at start.
	Outage Outage
	// Seed makes what ProfileMixed, Fault.Mixed and Fault.Jitter do at random repeat itself from run to run.
	Seed uint64
	// KeepAudio keeps the decoded samples of every stream for inspection.
	KeepAudio bool
	// FFmpeg is the program that decodes compressed audio; it defaults to "ffmpeg" on the PATH. "-" means none.
	FFmpeg string
	// Logger receives warnings and one line a connection; nil discards. It never sees keys or text.
	Logger *slog.Logger
}

func (o Options) withDefaults() Options {
	if o.Source == nil {
		o.Source = &Scripts{Default: []Line{Say(500*time.Millisecond, DefaultLine)}, Loop: 5 * time.Second}
	}
	endpointing := 300 * time.Millisecond
	if o.Profile == ProfileDeepgram {
		endpointing = 10 * time.Millisecond
		o.G711 = true
		o.ClosingMetadata = true
	}
	if o.BadText == BadTextDefault {
		o.BadText = BadTextIgnore
		if o.Profile == ProfileDeepgram {
			o.BadText = BadTextError
		}
	}
	if o.EmptyFrame == EmptyFrameDefault {
		o.EmptyFrame = EmptyFrameIgnore
		if o.Profile == ProfileDeepgram {
			o.EmptyFrame = EmptyFrameEnd
		}
	}
	o.Profile = cmp.Or(o.Profile, ProfileAldea)
	o.Addr = cmp.Or(o.Addr, "127.0.0.1:0")
	o.Endpointing = cmp.Or(o.Endpointing, endpointing)
	o.LongFinal = cmp.Or(o.LongFinal, 6*time.Second)
	o.IdleTimeout = cmp.Or(o.IdleTimeout, 10*time.Second)
	o.MaxConnections = cmp.Or(o.MaxConnections, 1000)
	o.MaxQueue = cmp.Or(o.MaxQueue, 32<<20)
	o.MaxBody = cmp.Or(o.MaxBody, 100<<20)
	o.FFmpeg = cmp.Or(o.FFmpeg, "ffmpeg")
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o
}
