package aldea

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"time"

	"aldeabridge/codec"
)

// Config says which recognizer to use and how. The zero value of every field but URL and Key is useful.
// NewClient copies it; changing it afterwards has no effect.
type Config struct {
	// URL is the recognizer's base: ws, wss, http or https. Without a path, /v1/listen is added; another
	// path, such as /v1/listen/pcm, is kept. A query is kept too, unless it sets what a field here sets.
	//
	// Several, separated by commas, are in order of preference. A stream uses the first that is believed to
	// work, goes on to the next when it is lost or cannot be reached, and comes back in a silence when a
	// better one works again. All get the same key.
	URL string
	// Key is the API key. It is sent only in the handshake and never written to an error or a log.
	Key Secret
	// Auth is how the key is sent. The default, AuthSubprotocol, falls back to AuthBearer when refused.
	Auth Auth
	// AllowPlaintext permits ws and http to hosts other than loopback. The key and the audio are then
	// readable on the way.
	AllowPlaintext bool
	// TLS is the TLS configuration of wss and https. The default verifies against the system's roots. Without a
	// ClientSessionCache it gets one, so that connections resume; SessionTicketsDisabled prevents that.
	// VerifyPeerCertificate is not called for a connection that resumes, VerifyConnection is.
	TLS *tls.Config
	// Header holds more headers for the handshake. Those of the WebSocket handshake itself and
	// Authorization are refused.
	Header http.Header

	// SampleRate is the rate of the linear PCM sent: 8000 or 16000 Hz. It defaults to 16000.
	SampleRate codec.Rate
	// Encoding is the name given to the audio, which always is 16-bit little-endian mono PCM: linear16,
	// pcm or s16le. It defaults to linear16.
	Encoding string
	// Language is the language spoken: one of Languages, in any case. It defaults to en.
	Language string
	// Languages are the languages that the recognizer knows; AnyLanguage among them allows every one. They default to
	// those that Aldea documents: en, en-US, es, es-ES and auto.
	Languages []string
	// Endpointing is the silence after which a result becomes final: whole milliseconds such as "300", or
	// "false" for finals on Finalize and at the end only (the stream then asks for one every 20 seconds of
	// audio, else a lost connection could cost everything). It defaults to the server's own setting.
	Endpointing string
	// UtteranceEnd is the silence that makes the server send UtteranceEnd. It defaults to never.
	UtteranceEnd time.Duration
	// NoInterims asks for final results only.
	NoInterims bool
	// VADEvents asks for SpeechStarted.
	VADEvents bool
	// Keywords are words to expect, each sent as a parameter of its own.
	Keywords []string
	// Redact names what the server must remove from transcripts: pii, pci, numbers or true.
	Redact []string
	// RedactMode says how: mask, redact or replace. It defaults to the server's own setting.
	RedactMode string
	// WordTimes says what the word times of a result count from. It defaults to finding out.
	WordTimes WordTimes

	// Chunk is the audio in one WebSocket message, in whole milliseconds from 20 to 250. It defaults to
	// 60 ms. Smaller means less delay and more messages.
	Chunk time.Duration
	// ReplaySpeed is how fast a backlog is sent, as a multiple of real time, at least 1. It defaults to
	// 1.25, the most that Deepgram allows. Negative means as fast as possible.
	ReplaySpeed float64
	// Buffer is how much audio is kept for a recognizer that does not answer. It defaults to 60 seconds
	// (480 kB a stream, taken only when needed) and is at least one second.
	Buffer time.Duration

	// MaxConnections is how many connections the key allows at once. Streams beyond it wait, the oldest
	// first, and keep their audio; a stream that has been let in keeps its place to its end. It defaults to
	// no limit.
	MaxConnections int

	// DialTimeout bounds one attempt to connect, TLS and HTTP handshake included. It defaults to 10 s.
	DialTimeout time.Duration
	// WriteTimeout bounds one write. It defaults to 5 seconds.
	WriteTimeout time.Duration
	// KeepAlive is the pause in the audio after which KeepAlive is sent. It defaults to 4 seconds.
	KeepAlive time.Duration
	// StallTimeout is how long a connection may bring nothing at all while speech is sent on it, both in
	// time and in audio. It defaults to 20 seconds.
	StallTimeout time.Duration
	// PingInterval is the time between WebSocket pings. It defaults to 10 seconds: a connection of which
	// the other end has vanished is found within 20.
	PingInterval time.Duration
	// PongTimeout is how long a ping may stay unanswered. It defaults to 10 seconds.
	PongTimeout time.Duration
	// DrainTimeout bounds each step of the end after CloseSend: connecting, if there is no connection,
	// sending the rest, and waiting for the last results. It defaults to 10 seconds.
	DrainTimeout time.Duration

	// Dial opens the network connection (below TLS). It defaults to a net.Dialer, through the proxy that
	// the environment names, if any.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
	// Random returns numbers from 0 up to, but not including, 1: the share of the longest wait that an
	// attempt to connect waits. It is for tests that must go the same way again, and may be called
	// concurrently. It defaults to chance.
	Random func() float64
	// Logger receives connections, losses and reconnects; never the key, nor what was said. Nil discards.
	Logger *slog.Logger
}

// AnyLanguage is the one of Config.Languages that stands for all.
const AnyLanguage = "*"

// withDefaults returns a copy that owns its slices and has every default filled in.
func (c Config) withDefaults() Config {
	def(&c.SampleRate, 16000)
	def(&c.Encoding, "linear16")
	def(&c.Language, "en")
	if c.Languages = slices.Clone(c.Languages); len(c.Languages) == 0 {
		c.Languages = []string{"en", "en-US", "es", "es-ES", "auto"}
	}
	def(&c.Chunk, 60*time.Millisecond)
	def(&c.ReplaySpeed, 1.25)
	def(&c.Buffer, time.Minute)
	def(&c.DialTimeout, 10*time.Second)
	def(&c.WriteTimeout, 5*time.Second)
	def(&c.KeepAlive, 4*time.Second)
	def(&c.StallTimeout, 20*time.Second)
	def(&c.PingInterval, 10*time.Second)
	def(&c.PongTimeout, 10*time.Second)
	def(&c.DrainTimeout, 10*time.Second)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.TLS = cheapTLS(c.TLS)
	c.Header = c.Header.Clone()
	c.Keywords = slices.Clone(c.Keywords)
	c.Redact = slices.Clone(c.Redact)
	return c
}

// def sets *v to value if it is zero.
func def[T comparable](v *T, value T) {
	var zero T
	if *v == zero {
		*v = value
	}
}

// fieldError names the field of Config that is wrong, and how.
func fieldError(field, format string, args ...any) error {
	return fmt.Errorf("aldea: Config.%s: %s", field, fmt.Sprintf(format, args...))
}
