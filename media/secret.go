package media

import (
	"crypto/sha256"
	"crypto/subtle"
	"log/slog"
)

// A Secret is an auth token or a path token. It does not print: String and LogValue hide it.
// The zero value is no secret.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "REDACTED"
}

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return `media.Secret("` + s.String() + `")` }

// LogValue hides the secret from log/slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// equal compares in a time that depends on neither value: both are hashed first, so that lengths do not
// show either.
func equal(got, want string) bool {
	g, w := sha256.Sum256([]byte(got)), sha256.Sum256([]byte(want))
	return subtle.ConstantTimeCompare(g[:], w[:]) == 1
}
