package control

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
	"unicode"
)

const maxMessage = 300 // most characters of Twilio's message in an error

// noAnswerReason returns why there is no response. It omits the text of package net, which has addresses of the internal
// network.
func (x *exchange) noAnswerReason(err error) string {
	var (
		name        *net.DNSError
		certificate *tls.CertificateVerificationError
		op          *net.OpError
	)
	switch sent := x.sent.Load(); {
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Sprintf("no answer from Twilio within %v", x.timeout.Round(100*time.Millisecond))
	case errors.Is(err, context.Canceled):
		return "given up before Twilio answered"
	case errors.As(err, &name):
		return "the name of Twilio's host cannot be resolved"
	case errors.As(err, &certificate):
		return "Twilio's host has a certificate that is not trusted"
	case errors.As(err, &op) && op.Op == "dial", !sent:
		return "no connection to Twilio's host"
	}
	return "the connection to Twilio broke before the answer"
}

// clean prepares a message from the server for an event: one line of at most maxMessage characters, without a full stop at its
// end, because more text follows, and without the credentials.
func (c Config) clean(s string) string {
	user, password := c.credentials()
	for _, secret := range []string{
		base64.StdEncoding.EncodeToString([]byte(user + ":" + password)),
		string(c.AuthToken), string(c.KeySecret), c.KeySID, c.AccountSID,
	} {
		if secret != "" {
			s = strings.ReplaceAll(s, secret, "…")
		}
	}
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "\ufffd"), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if runes := []rune(s); len(runes) > maxMessage {
		return string(runes[:maxMessage]) + "…"
	}
	return strings.TrimSuffix(s, ".")
}
