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

// A Class is the kind of failure of an attempt that has no meaningful status.
type Class string

// The classes of failures.
const (
	ClassDNS            Class = "dns"             // the host has no address
	ClassRefused        Class = "refused"         // the connection was refused
	ClassReset          Class = "reset"           // the connection broke before the answer
	ClassTLS            Class = "tls"             // the TLS handshake failed
	ClassTimeout        Class = "timeout"         // no complete answer in time
	ClassAddressRefused Class = "address_refused" // the guard refuses the address
	ClassRedirect       Class = "redirect"        // a 3xx answer
	ClassOther          Class = "other"           // anything else
)

// classify returns the class of a transport's error.
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

// isTLS reports whether the handshake failed, by our verification or by an alert.
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

// isReset reports whether the peer ended the connection. Package net/http does not export all of these errors, so two
// of its texts are matched.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		strings.Contains(err.Error(), "server closed idle connection") ||
		strings.HasPrefix(err.Error(), "http2: ") && strings.Contains(err.Error(), "conn")
}
