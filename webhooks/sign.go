package webhooks

import (
	"fmt"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// A signer makes webhook-signature headers. It may be used concurrently.
type signer []*standardwebhooks.Webhook

// newSigner returns the signer of a list of secrets, newest first.
func newSigner(secrets []Secret) (signer, error) {
	if err := checkSecrets(secrets); err != nil {
		return nil, err
	}
	s := make(signer, len(secrets))
	for i, secret := range secrets {
		w, err := standardwebhooks.NewWebhook(string(secret))
		if err != nil {
			return nil, fmt.Errorf("%w: number %d", ErrSecret, i+1)
		}
		s[i] = w
	}
	return s, nil
}

// sign returns one "v1,…" entry for each secret, in their order, joined by a space (Standard Webhooks 1.0.0).
func (s signer) sign(id string, at time.Time, body []byte) (string, error) {
	entries := make([]string, len(s))
	for i, w := range s {
		entry, err := w.Sign(id, at, body)
		if err != nil {
			return "", fmt.Errorf("webhooks: sign %s: %w", id, err)
		}
		entries[i] = entry
	}
	return strings.Join(entries, " "), nil
}
