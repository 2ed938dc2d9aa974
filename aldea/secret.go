package aldea

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
)

const redacted = "REDACTED"

// A Secret is an API key. Whatever prints it, logs it or marshals it writes REDACTED; string(s) is the key.
type Secret string

// String returns REDACTED.
func (s Secret) String() string { return redacted }

// Format writes REDACTED for every verb, also for those that do not ask String (%d, %#v).
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is REDACTED.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is REDACTED, so that JSON shows no more than a log does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// scrub removes the key from text that came from the other side: a server may echo what it refused.
func (s Secret) scrub(text string) string {
	if s == "" {
		return text
	}
	return strings.ReplaceAll(text, string(s), redacted)
}
