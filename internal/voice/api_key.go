package voice

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "REDACTED"

// A Key is a service's API key. Whatever prints it, logs it or marshals it writes REDACTED; string(k) is the key.
type Key string

// String returns REDACTED.
func (k Key) String() string { return redacted }

// Format writes REDACTED for every verb.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns REDACTED.
func (k Key) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED.
func (k Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// scrub removes the key from a service's text.
func (k Key) scrub(text string) string {
	if k == "" {
		return text
	}
	return strings.ReplaceAll(text, string(k), redacted)
}
