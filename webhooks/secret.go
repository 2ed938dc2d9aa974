package webhooks

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"
)

// ErrSecret means that a signing secret cannot be used. The error's text says why and never holds the secret.
var ErrSecret = errors.New("webhooks: bad signing secret")

const (
	secretPrefix = "whsec_"
	minKey       = 24 // bytes, Standard Webhooks 1.0.0
	maxKey       = 64 // bytes, the same
	newKey       = 32 // bytes of a secret that we make

	// maxSecrets bounds the list of an endpoint. Two are a rotation; each costs an HMAC an attempt.
	maxSecrets = 4
)

// A Secret signs webhooks: "whsec_" and the standard base64, padded, of 24 to 64 bytes. The decoded bytes are
// the key. However it is printed, logged or marshaled, it reads REDACTED; string(s) is the secret itself.
type Secret string

// NewSecret makes a secret of 32 random bytes.
func NewSecret() Secret {
	var key [newKey]byte
	_, _ = rand.Read(key[:]) // never fails: it ends the program first
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

// ParseSecrets reads an operator's list of one to four secrets, separated by commas or white space, newest
// first. The error names the place in the list, wraps ErrSecret and never repeats any of it.
func ParseSecrets(list string) ([]Secret, error) {
	fields := strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	secrets := make([]Secret, len(fields))
	for i, field := range fields {
		secrets[i] = Secret(field)
	}
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	return secrets, nil
}

// checkSecrets returns an error unless all secrets of an endpoint can be used.
func checkSecrets(secrets []Secret) error {
	if len(secrets) == 0 {
		return fmt.Errorf("%w: there is none", ErrSecret)
	}
	if len(secrets) > maxSecrets {
		return fmt.Errorf("%w: %d in the list, at most %d are allowed", ErrSecret, len(secrets), maxSecrets)
	}
	for i, s := range secrets {
		if reason := s.problem(); reason != "" {
			return fmt.Errorf("%w: number %d of %d %s", ErrSecret, i+1, len(secrets), reason)
		}
	}
	return nil
}

// problem says what is wrong with the secret, or nothing. The reference library takes a secret with or
// without its prefix and of any length, so all of this has to be checked here.
func (s Secret) problem() string {
	encoded, ok := strings.CutPrefix(string(s), secretPrefix)
	if !ok {
		return "does not begin with " + secretPrefix
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return "is not standard base64 with padding after " + secretPrefix
	}
	if len(key) < minKey {
		return fmt.Sprintf("has a key of %d bytes, %d are the least", len(key), minKey)
	}
	if len(key) > maxKey {
		return fmt.Sprintf("has a key of %d bytes, %d are the most", len(key), maxKey)
	}
	return ""
}

const redacted = "REDACTED"

// String is REDACTED.
func (Secret) String() string { return redacted }

// Format writes REDACTED, whatever the verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue is REDACTED.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText is REDACTED, also in JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
