package aldea

import (
	"slices"
	"time"
)

// Settings are what streams of one recognizer may differ in. The zero value of a field leaves what the Client has.
type Settings struct {
	// Language is as Config.Language.
	Language string
	// Endpointing is as Config.Endpointing.
	Endpointing string
	// UtteranceEnd is as Config.UtteranceEnd. Negative means never.
	UtteranceEnd time.Duration
	// Keywords and Redact are as those of Config. Nil leaves what the Client has, empty means none.
	Keywords, Redact []string
}

// With returns a Client whose streams have other settings, or an error that names the field of Config that is wrong. Both
// share what they know of the recognizer, Config.MaxConnections and Health. It does not touch the network.
func (c *Client) With(s Settings) (*Client, error) {
	other := &Client{config: s.over(c.config), particular: true, guard: c.guard, pools: c.pools}
	if err := other.check(); err != nil {
		return nil, err
	}
	return other, nil
}

// Try is With for settings that the recognizer may not take: a stream that is refused for them before it was served goes on
// with those of c, nothing of its audio is lost, and Next tells with *Refused.
func (c *Client) Try(s Settings) (*Client, error) {
	other, err := c.With(s)
	if err != nil {
		return nil, err
	}
	other.fallback = c
	return other, nil
}

// over returns c with what s sets.
func (s Settings) over(c Config) Config {
	if s.Language != "" {
		c.Language = s.Language
	}
	if s.Endpointing != "" {
		c.Endpointing = s.Endpointing
	}
	if s.UtteranceEnd != 0 {
		c.UtteranceEnd = max(0, s.UtteranceEnd)
	}
	if s.Keywords != nil {
		c.Keywords = slices.Clone(s.Keywords)
	}
	if s.Redact != nil {
		c.Redact = slices.Clone(s.Redact)
	}
	return c
}
