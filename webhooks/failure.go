package webhooks

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"

	"aldeabridge/internal/egress"
)

// A Class says what kind of failure an attempt met before or instead of a useful status.
type Class string

// The kinds of failure.
const (
	ClassDNS            Class = "dns"             // the host has no address
	ClassRefused        Class = "refused"         // nobody listens there
	ClassReset          Class = "reset"           // the connection broke before the answer
	ClassTLS            Class = "tls"             // no secure connection
	ClassTimeout        Class = "timeout"         // no answer, or not all of it, in time
	ClassAddressRefused Class = "address_refused" // we do not connect there
	ClassRedirect       Class = "redirect"        // a 3xx answer
	ClassOther          Class = "other"           // anything else
)

// classify says what kind of failure a transport's error is.
func classify(err error) Class {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.Is(err, egress.ErrAddressRefused):
		return ClassAddressRefused
	case errors.As(err, &dns):
		return ClassDNS
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return ClassTimeout
	case isTLS(err):
		return ClassTLS
	case errors.Is(err, syscall.ECONNREFUSED):
		return ClassRefused
	case isReset(err):
		return ClassReset
	}
	return ClassOther
}

// isTLS says whether the handshake failed, by our check or by an alert.
func isTLS(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		authority    x509.UnknownAuthorityError
		op           *net.OpError
	)
	return errors.As(err, &verification) || errors.As(err, &record) || errors.As(err, &authority) ||
		errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error") // how crypto/tls reports alerts
}

// isReset says whether the other side ended the connection. Package net/http does not export all it may say
// then, so two of its texts are matched.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		strings.Contains(err.Error(), "server closed idle connection") ||
		strings.HasPrefix(err.Error(), "http2: ") && strings.Contains(err.Error(), "conn")
}
