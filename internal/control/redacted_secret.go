package control

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// A Secret proves who we are. It shows itself to nobody: not to fmt, not to log/slog, not to JSON.
type Secret string

// String is REDACTED.
func (s Secret) String() string { return redacted }

// Format writes REDACTED for every verb, also for those that do not ask String (%d, %#v).
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is REDACTED.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is REDACTED, so that JSON shows no more than a log does.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
