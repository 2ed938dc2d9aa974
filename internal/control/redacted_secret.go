package control

import (
	"fmt"
	"io"
	"log/slog"
)

const redacted = "REDACTED"

// A Secret is a credential. fmt, log/slog and encoding/json write REDACTED for it.
type Secret string

// String returns REDACTED.
func (s Secret) String() string { return redacted }

// Format writes REDACTED for every verb, also for those that do not call String (%d, %#v).
func (s Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns REDACTED.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED, also for JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
