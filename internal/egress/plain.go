package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"regexp"
	"strings"
	"syscall"
)

// Plain returns an error of a connection or a request in plain words, for the user who gave the URL. The words name no address, no name
// server, no host, no URL and no file, and repeat nothing that the other side wrote: all of those may belong to the network
// that this program is in. What err wraps can still be found with errors.Is and errors.As. Plain of nil is nil, and of
// io.EOF that.
func Plain(err error) error {
	switch {
	case err == nil, err == io.EOF: //nolint:errorlint // a reader's end is not wrapped
		return err
	case errors.As(err, new(*plainError)):
		return err
	}
	return &plainError{plainText(err), err}
}

// ErrFailed is what all errors of Plain are, for errors.Is.
var ErrFailed = errors.New("connection or request failed")

// plainError is an error whose text is for others.
type plainError struct {
	text string
	err  error
}

func (e *plainError) Error() string { return e.text }

func (e *plainError) Unwrap() error { return e.err }

// Is makes it an ErrFailed.
func (e *plainError) Is(target error) bool { return target == ErrFailed }

// LogValue is the text: what err wraps is not for the log either.
func (e *plainError) LogValue() slog.Value { return slog.StringValue(e.text) }

// PlainReader returns a reader of r whose errors are Plain.
func PlainReader(r io.Reader) io.Reader { return plainReader{r} }

type plainReader struct{ r io.Reader }

func (p plainReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err != io.EOF && errors.Is(err, io.EOF) { //nolint:errorlint // one that is wrapped is no end
		err = io.ErrUnexpectedEOF
	}
	return n, Plain(err)
}

// plainText finds the words.
func plainText(err error) string {
	for _, find := range []func(error) string{refusalText, dnsText, certificateText, timeoutText, systemText, connectionText, httpText} {
		if text := find(err); text != "" {
			return text
		}
	}
	return scrub(innermost(err).Error())
}

func refusalText(err error) string {
	if errors.Is(err, ErrAddressRefused) {
		return ErrAddressRefused.Error()
	}
	return ""
}

func dnsText(err error) string {
	var dns *net.DNSError
	switch {
	case !errors.As(err, &dns):
		return ""
	case dns.IsNotFound:
		return "the host name does not exist"
	case dns.IsTimeout:
		return "the host name could not be looked up in time"
	}
	return "the host name could not be looked up"
}

// certificateText is about the server's certificate and the TLS handshake.
func certificateText(err error) string {
	var (
		authority x509.UnknownAuthorityError
		host      x509.HostnameError
		invalid   x509.CertificateInvalidError
		any       *tls.CertificateVerificationError
		record    tls.RecordHeaderError
		alert     tls.AlertError
		op        *net.OpError
	)
	switch {
	case errors.As(err, &authority):
		return "TLS: the certificate is signed by an unknown authority"
	case errors.As(err, &host):
		return "TLS: the certificate is for another host"
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "TLS: the certificate has expired or is not valid yet"
	case errors.As(err, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return "TLS: the certificate is not one of a server (incompatible key usage)"
	case errors.As(err, &invalid), errors.As(err, &any):
		return "TLS: the certificate is not valid"
	case errors.As(err, &record):
		return "TLS: the server does not speak it on this port"
	case errors.As(err, &alert):
		return "TLS: " + strings.TrimPrefix(alert.Error(), "tls: ")
	case errors.As(err, &op) && (op.Op == "remote error" || op.Op == "local error"): // how crypto/tls reports alerts
		return "TLS: " + strings.TrimPrefix(scrub(op.Err.Error()), "tls: ")
	}
	return ""
}

func timeoutText(err error) string {
	var timeout net.Error
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &timeout) || !timeout.Timeout()):
		return ""
	case dialing(err):
		return "no connection in time"
	}
	return "no answer in time"
}

// dialing says whether a connection could not be opened, be it to the proxy.
func dialing(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && (op.Op == "dial" || op.Op == "proxyconnect")
}

// systemText is about what the operating system says: its own words for an error number are not about anybody.
func systemText(err error) string {
	var (
		number syscall.Errno
		op     *net.OpError
		file   *fs.PathError
	)
	switch {
	case !errors.As(err, &number):
		return ""
	case errors.As(err, &op) && op.Op == "proxyconnect":
		return "no connection to the proxy: " + number.Error()
	case dialing(err):
		return "no connection: " + number.Error()
	case errors.As(err, &file):
		return number.Error()
	case errors.As(err, &op):
		return "the connection broke: " + number.Error()
	}
	return number.Error()
}

func connectionText(err error) string {
	if errors.As(err, new(*net.AddrError)) || errors.As(err, new(*net.ParseError)) {
		return "the address cannot be read"
	}
	for _, broken := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrClosedPipe, net.ErrClosed, os.ErrClosed} {
		if errors.Is(err, broken) {
			return "the connection broke"
		}
	}
	return ""
}

// httpText is about what package net/http says without a type of its own.
func httpText(err error) string {
	text := err.Error()
	for _, known := range []struct{ part, plain string }{
		{"server gave HTTP response to HTTPS client", "TLS: the server does not speak it on this port"},
		{"failed to parse Location", "the redirect cannot be read"},
		{"302 response missing Location", "the redirect leads nowhere"},
		{"malformed", "the answer is not HTTP"},
		{"invalid header", "the answer is not HTTP"},
		{"response headers exceeded", "the header of the answer is too long"},
		{"server closed idle connection", "the connection broke"},
		{"transport connection broken", "the connection broke"},
	} {
		if strings.Contains(text, known.part) {
			return known.plain
		}
	}
	if strings.Contains(text, "http2: ") || strings.Contains(text, "stream error: ") {
		return "the connection broke (HTTP/2)"
	}
	return ""
}

// innermost is the error below those that add where a connection or a request went.
func innermost(err error) error {
	for {
		var (
			request *url.Error
			op      *net.OpError
		)
		switch {
		case errors.As(err, &request) && request.Err != nil:
			err = request.Err
		case errors.As(err, &op) && op.Err != nil:
			err = op.Err
		default:
			return err
		}
	}
}

// private matches what must not be in a text that others see: quoted text, URLs, addresses, paths of files.
var private = regexp.MustCompile(`"(?:[^"\\]|\\.)*"?|[A-Za-z][A-Za-z0-9+.-]*://\S+|\[[0-9A-Fa-f:.%a-z]+\](?::\d+)?|\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b|` +
	`\b(?:[0-9A-Fa-f]{1,4}:){2,7}[0-9A-Fa-f:]*|(?:^|[\s(=:'])/[^\s:'")]+`)

// scrub takes out of a text what must not be in it.
func scrub(text string) string {
	return private.ReplaceAllStringFunc(text, func(found string) string {
		if at := strings.IndexByte(found, '/'); at == 1 {
			return found[:1] + "…" // what stands before a path
		}
		return "…"
	})
}

// Scrub returns a text without quoted parts, URLs, addresses and paths of files: what a program on this machine says, for
// others to read.
func Scrub(text string) string { return scrub(strings.Map(visible, text)) }

func visible(c rune) rune {
	if c < ' ' || c == 0x7F {
		return ' '
	}
	return c
}
