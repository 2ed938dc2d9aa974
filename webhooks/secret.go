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

// ErrSecret means that a signing secret is invalid. The error's text states the reason and never contains the secret.
var ErrSecret = errors.New("webhooks: bad signing secret")

const (
	secretPrefix = "whsec_"
	minKeyBytes  = 24 // bytes, Standard Webhooks 1.0.0
	maxKeyBytes  = 64 // bytes, Standard Webhooks 1.0.0
	newKeyBytes  = 32 // bytes of a generated secret

	// maxSecrets bounds the secrets of an endpoint. A rotation needs two; each costs an HMAC for every attempt.
	maxSecrets = 4
)

// A Secret signs webhooks: "whsec_" and the padded standard base64 of a key of 24 to 64 bytes. Printed, logged or
// marshaled it is REDACTED; string(s) is the secret itself.
type Secret string

// NewSecret generates a secret of 32 random bytes.
func NewSecret() Secret {
	var key [newKeyBytes]byte
	_, _ = rand.Read(key[:]) // crypto/rand.Read never returns an error
	return Secret(secretPrefix + base64.StdEncoding.EncodeToString(key[:]))
}

// ParseSecrets parses a list of one to four secrets, separated by commas or white space, newest first. The error
// gives the position in the list, wraps ErrSecret and does not contain any secret.
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

// checkSecrets returns an error unless the secrets of an endpoint are valid.
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

// problem describes why the secret is invalid, or is empty. The reference library accepts secrets without the prefix
// and of any length, so everything is checked here.
func (s Secret) problem() string {
	encoded, ok := strings.CutPrefix(string(s), secretPrefix)
	if !ok {
		return "does not begin with " + secretPrefix
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || strings.ContainsAny(encoded, "\r\n") {
		return "is not standard base64 with padding after " + secretPrefix
	}
	if len(key) < minKeyBytes {
		return fmt.Sprintf("has a key of %d bytes; the minimum is %d", len(key), minKeyBytes)
	}
	if len(key) > maxKeyBytes {
		return fmt.Sprintf("has a key of %d bytes; the maximum is %d", len(key), maxKeyBytes)
	}
	return ""
}

const redacted = "REDACTED"

// String returns REDACTED.
func (Secret) String() string { return redacted }

// Format writes REDACTED for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// LogValue returns REDACTED.
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns REDACTED, also in JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
