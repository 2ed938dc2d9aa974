package webhooktest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// tolerance is the maximum difference between a timestamp and the local time, in both directions (Standard Webhooks
// 1.0.0).
const tolerance = 5 * time.Minute

// Verify returns an error unless a webhook's signature is valid for any of the secrets ("whsec_" and base64) and its
// timestamp is within 5 minutes of now. It is written from the text of Standard Webhooks 1.0.0 and shares no code
// with any sender.
func Verify(header http.Header, body []byte, now time.Time, secrets ...string) error {
	id, stamp, signatures := header.Get("webhook-id"), header.Get("webhook-timestamp"), header.Get("webhook-signature")
	if id == "" || stamp == "" || signatures == "" {
		return errors.New("webhooktest: webhook-id, webhook-timestamp or webhook-signature is missing")
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return errors.New("webhooktest: webhook-timestamp is not a number of seconds")
	}
	if off := now.Sub(time.Unix(seconds, 0)); off.Truncate(time.Second).Abs() > tolerance {
		return fmt.Errorf("webhooktest: webhook-timestamp is %s away from our clock", off.Truncate(time.Second))
	}
	for _, secret := range secrets {
		key, err := decode(secret)
		if err != nil {
			return err
		}
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "."))
		mac.Write(body)
		if matches(signatures, mac.Sum(nil)) {
			return nil
		}
	}
	return errors.New("webhooktest: no signature matches")
}

// matches reports whether any v1 entry of a webhook-signature header is sum. Entries of unknown versions are skipped.
func matches(signatures string, sum []byte) bool {
	for entry := range strings.SplitSeq(signatures, " ") {
		version, encoded, _ := strings.Cut(entry, ",")
		got, err := base64.StdEncoding.DecodeString(encoded)
		if version == "v1" && err == nil && hmac.Equal(got, sum) {
			return true
		}
	}
	return false
}

// decode returns the key in a secret.
func decode(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !ok || err != nil {
		return nil, errors.New("webhooktest: secret is not whsec_ and base64")
	}
	return key, nil
}
