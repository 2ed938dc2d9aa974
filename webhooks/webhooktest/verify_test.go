package webhooktest

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// A vector that the npm libraries standardwebhooks and svix accept.
const (
	currentSecret  = "whsec_YnJpZGdlLXRlc3Qta2V5LWN1cnJlbnQtMDAwMDAwMzI="
	previousSecret = "whsec_YnJpZGdlLXRlc3Qta2V5LXByZXZpb3VzLTAwMDAwMzI="
	vectorID       = "evt_01KDYTESTVECT0R0000000000A"
	vectorTime     = 1767323045
	currentEntry   = "v1,K4mfQuDs7bVL9XoOUQeAY9dehWWAuuGNv92C4OudeUk="
	previousEntry  = "v1,RbjzqYp9leSUB0ji9GHCV8+m4nyloK/di1MwL779K68="
	vectorBody     = `{"type":"utterance.final","timestamp":"2026-01-02T03:04:05.678Z","data":{"call":{"id":"CA00000000000000000000000000000001","from":"+15550100001"},"sequence":3,"utterance":{"index":2,"speaker":"caller","text":"Grüße, I’d like to move my appointment.","start_ms":4120,"end_ms":6480}}}`
)

func TestSignaturesAreVerifiedAsTheStandardSays(t *testing.T) {
	both := currentEntry + " " + previousEntry
	for _, c := range []struct {
		name              string
		id, stamp, header string
		body              string
		off               time.Duration
		secret            string
		good              bool
	}{
		{"current", vectorID, "1767323045", both, vectorBody, 0, currentSecret, true},
		{"previous", vectorID, "1767323045", both, vectorBody, 0, previousSecret, true},
		{"unknown version before", vectorID, "1767323045", "v9,AAAA " + currentEntry, vectorBody, 0, currentSecret, true},
		{"clock 299 s ahead", vectorID, "1767323045", both, vectorBody, 299 * time.Second, currentSecret, true},
		{"clock 299 s behind", vectorID, "1767323045", both, vectorBody, -299 * time.Second, currentSecret, true},
		{"previous, only current sent", vectorID, "1767323045", currentEntry, vectorBody, 0, previousSecret, false},
		{"a space more", vectorID, "1767323045", both, vectorBody + " ", 0, currentSecret, false},
		{"an escape", vectorID, "1767323045", both, strings.Replace(vectorBody, "ü", `\u00fc`, 1), 0, currentSecret, false},
		{"another id", vectorID[:29] + "B", "1767323045", both, vectorBody, 0, currentSecret, false},
		{"a second later", vectorID, "1767323046", both, vectorBody, 0, currentSecret, false},
		{"no signature", vectorID, "1767323045", "", vectorBody, 0, currentSecret, false},
		{"no id", "", "1767323045", both, vectorBody, 0, currentSecret, false},
		{"time is no number", vectorID, "today", both, vectorBody, 0, currentSecret, false},
		{"known entry of another version", vectorID, "1767323045", "v2" + currentEntry[2:], vectorBody, 0, currentSecret, false},
		{"clock 301 s ahead", vectorID, "1767323045", both, vectorBody, 301 * time.Second, currentSecret, false},
		{"clock 301 s behind", vectorID, "1767323045", both, vectorBody, -301 * time.Second, currentSecret, false},
	} {
		h := http.Header{}
		h.Set("webhook-id", c.id)
		h.Set("webhook-timestamp", c.stamp)
		h.Set("webhook-signature", c.header)
		err := Verify(h, []byte(c.body), time.Unix(vectorTime, 0).Add(c.off), c.secret)
		if (err == nil) != c.good {
			t.Errorf("%s: got %v, want accepted %t", c.name, err, c.good)
		}
	}
}

func TestASecretThatCannotBeReadPanics(t *testing.T) {
	for _, secret := range []string{"", "x", "whsec_!"} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%q: accepted", secret)
				}
			}()
			NewEndpoint(secret)
		}()
	}
}
