package aldea

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// validate checks a Config that has its defaults. Its errors name the field.
func (c *Config) validate() error {
	checks := []func() error{
		c.validateKey, c.validateHeader, c.validateAudio, c.validateRecognition, c.validateRedaction, c.validateLimits,
	}
	for _, check := range checks {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Config) validateKey() error {
	if c.Key == "" {
		return fieldError("Key", "is empty")
	}
	legal := isToken
	switch c.Auth {
	case AuthSubprotocol:
	case AuthBearer, AuthToken:
		legal = isVisible
	default:
		return fieldError("Auth", "%d is not a form of authentication", int(c.Auth))
	}
	// The key itself must not appear in the message.
	if strings.ContainsFunc(string(c.Key), func(r rune) bool { return !legal(r) }) {
		return fieldError("Key", "has characters that cannot be sent with %v (white space around it?)", c.Auth)
	}
	return nil
}

// isToken reports whether r may be part of a token of HTTP (RFC 9110 section 5.6.2), which the name of a
// subprotocol must be.
func isToken(r rune) bool {
	return isVisible(r) && !strings.ContainsRune(`"(),/:;<=>?@[\]{}`, r)
}

func isVisible(r rune) bool { return r > ' ' && r < 0x7f }

// validateHeader refuses headers that belong to the handshake.
func (c *Config) validateHeader() error {
	for name := range c.Header {
		canonical := http.CanonicalHeaderKey(name)
		if strings.HasPrefix(canonical, "Sec-Websocket-") ||
			slices.Contains([]string{"Connection", "Upgrade", "Host", "Authorization"}, canonical) {
			return fieldError("Header", "%s is set by the client itself", canonical)
		}
	}
	return nil
}

func (c *Config) validateAudio() error {
	if c.SampleRate != 8000 && c.SampleRate != 16000 {
		return fieldError("SampleRate", "%d is neither 8000 nor 16000", int(c.SampleRate))
	}
	if !slices.Contains([]string{"linear16", "pcm", "s16le"}, c.Encoding) {
		return fieldError("Encoding", "%q is not a name of 16-bit PCM (linear16, pcm, s16le)", c.Encoding)
	}
	if c.Chunk < 20*time.Millisecond || c.Chunk > 250*time.Millisecond || c.Chunk%time.Millisecond != 0 {
		return fieldError("Chunk", "%v is not whole milliseconds from 20ms to 250ms", c.Chunk)
	}
	if !(c.ReplaySpeed < 0 || c.ReplaySpeed >= 1) { // written so that NaN is refused
		return fieldError("ReplaySpeed", "%v is slower than the audio itself (use 1 or more, or a negative number for no limit)", c.ReplaySpeed)
	}
	if c.Buffer < time.Second || c.Buffer > 10*time.Minute {
		return fieldError("Buffer", "%v is not between 1s and 10m", c.Buffer)
	}
	return nil
}

// maxMillis bounds the silences, in milliseconds: longer is a mistake in the unit.
const maxMillis = 60_000

func (c *Config) validateRecognition() error {
	if c.Endpointing != "" && c.Endpointing != "false" {
		ms, err := strconv.Atoi(c.Endpointing)
		if err != nil || ms < 0 || ms > maxMillis {
			return fieldError("Endpointing", `%q is neither "false" nor milliseconds up to %d`, c.Endpointing, maxMillis)
		}
	}
	if c.UtteranceEnd < 0 || c.UtteranceEnd > maxMillis*time.Millisecond || c.UtteranceEnd%time.Millisecond != 0 {
		return fieldError("UtteranceEnd", "%v is not whole milliseconds up to %dms", c.UtteranceEnd, maxMillis)
	}
	if err := c.validateLanguage(); err != nil {
		return err
	}
	if err := c.validateKeywords(); err != nil {
		return err
	}
	if c.WordTimes < WordTimesAuto || c.WordTimes > WordTimesRelative {
		return fieldError("WordTimes", "%d is not a mode", int(c.WordTimes))
	}
	return nil
}

// validateLanguage refuses languages that the recognizer would refuse, and gives the others the spelling that it knows.
func (c *Config) validateLanguage() error {
	if !isLanguage(c.Language) {
		return fieldError("Language", "%q is not a language tag", shorten(c.Language))
	}
	for _, known := range c.Languages {
		switch {
		case known == AnyLanguage:
			return nil
		case !isLanguage(known):
			return fieldError("Languages", "%q is not a language tag", shorten(known))
		case strings.EqualFold(known, c.Language):
			c.Language = known
			return nil
		}
	}
	return fieldError("Language", "%q is not one that the recognizer knows (%s; Config.Languages allows others)",
		c.Language, strings.Join(c.Languages, ", "))
}

func isLanguage(s string) bool {
	return s != "" && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool { return !isToken(r) })
}

const (
	// maxKeywords and maxKeyword bound the keywords: each is a part of the address.
	maxKeywords = 100
	maxKeyword  = 100 // characters
	// maxAddress is how long an address may be that all servers take.
	maxAddress = 8000
)

func (c *Config) validateKeywords() error {
	if len(c.Keywords) > maxKeywords {
		return fieldError("Keywords", "has %d words, more than %d", len(c.Keywords), maxKeywords)
	}
	for _, k := range c.Keywords {
		if strings.TrimSpace(k) == "" {
			return fieldError("Keywords", "has an empty keyword")
		}
		if n := utf8.RuneCountInString(k); n > maxKeyword {
			return fieldError("Keywords", "has a word of %d characters, more than %d", n, maxKeyword)
		}
	}
	return nil
}

// validateRedaction is strict: a misspelt kind would silently redact nothing.
func (c *Config) validateRedaction() error {
	for _, kind := range c.Redact {
		if !slices.Contains([]string{"pii", "pci", "numbers", "true"}, kind) {
			return fieldError("Redact", "%q is not pii, pci, numbers or true", kind)
		}
	}
	if c.RedactMode != "" && !slices.Contains([]string{"mask", "redact", "replace"}, c.RedactMode) {
		return fieldError("RedactMode", "%q is not mask, redact or replace", c.RedactMode)
	}
	return nil
}

func (c *Config) validateLimits() error {
	if c.MaxConnections < 0 {
		return fieldError("MaxConnections", "%d is negative", c.MaxConnections)
	}
	for _, t := range []struct {
		field string
		value time.Duration
	}{
		{"DialTimeout", c.DialTimeout},
		{"WriteTimeout", c.WriteTimeout},
		{"KeepAlive", c.KeepAlive},
		{"StallTimeout", c.StallTimeout},
		{"PingInterval", c.PingInterval},
		{"PongTimeout", c.PongTimeout},
		{"DrainTimeout", c.DrainTimeout},
	} {
		if t.value < 0 {
			return fieldError(t.field, "%v is negative", t.value)
		}
	}
	return nil
}
