package logguard

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// maxErrors bounds the tree of errors that Text walks.
const maxErrors = 64

// Text returns an error's text without the text of other programs:
//
//   - An error that is a slog.LogValuer states itself what of it is for the log. So do, in a table here, the errors of the
//     standard library that hold a peer's text.
//   - What stands in double quotes is left out: libraries quote what they got.
func Text(err error) string {
	text := err.Error()
	n := 0
	text = withoutPeers(text, err, &n)
	return clean(quoted.ReplaceAllStringFunc(text, func(s string) string { return fmt.Sprintf("(%d bytes)", len(s)-2) }), maxValue)
}

// quoted matches a quoted string with escapes, as %q writes it. One that has no end reaches to the end of the text.
var quoted = regexp.MustCompile(`(?s)"(?:[^"\\]|\\.)*(?:"|\\?$)`)

// withoutPeers returns text, which contains the text of err, with unsafe parts replaced. n counts the errors
// of the tree.
func withoutPeers(text string, err error, n *int) string {
	if *n++; *n > maxErrors {
		return fmt.Sprintf("%T", err)
	}
	if known, ok := own(err); ok {
		return replace(text, err.Error(), known)
	}
	switch wrapper := err.(type) { //nolint:errorlint // each level of the chain is looked at by itself
	case interface{ Unwrap() error }:
		if inner := wrapper.Unwrap(); inner != nil {
			return withoutPeers(text, inner, n)
		}
	case interface{ Unwrap() []error }:
		for _, inner := range wrapper.Unwrap() {
			if inner != nil {
				text = withoutPeers(text, inner, n)
			}
		}
	}
	return text
}

// replace replaces the error's own text in text by known. If text does not contain it, known replaces all of text.
func replace(text, said, known string) string {
	if said == "" || !strings.Contains(text, said) {
		return known
	}
	return strings.ReplaceAll(text, said, known)
}

// own returns what an error says in our own words, if it holds the text of a peer.
func own(err error) (text string, ok bool) {
	switch e := err.(type) { //nolint:errorlint // the caller walks the chain
	case slog.LogValuer:
		v := e.LogValue().Resolve()
		if inner, ok := v.Any().(error); ok {
			return Text(inner), true
		}
		return v.String(), true
	case *net.DNSError:
		return dnsText(e), true
	case *net.OpError:
		return opText(e), true
	case *net.ParseError, *net.AddrError:
		return "an address cannot be read", true
	case textproto.ProtocolError, *textproto.Error:
		return "malformed header", true
	case *json.SyntaxError:
		return fmt.Sprintf("not JSON, at byte %d", e.Offset), true
	case *json.UnmarshalTypeError:
		return fmt.Sprintf("JSON of another type than %s, at byte %d", e.Type, e.Offset), true
	case x509.HostnameError, *x509.HostnameError:
		return "x509: the certificate is for other names", true
	case x509.CertificateInvalidError:
		return fmt.Sprintf("x509: the certificate is not valid, reason %d", e.Reason), true
	case x509.UnknownAuthorityError:
		return "x509: certificate signed by unknown authority", true
	case *strconv.NumError:
		return "not a number", true
	}
	return "", false
}

// opText leaves out the addresses, which may be those of the network that this program is in.
func opText(e *net.OpError) string {
	text := strings.TrimSpace(e.Op + " " + e.Net)
	if e.Err == nil {
		return text
	}
	return text + ": " + Text(e.Err)
}

// dnsText leaves out the name, which a peer may have given, and the name server.
func dnsText(e *net.DNSError) string {
	switch {
	case e.IsNotFound:
		return "lookup: no such host"
	case e.IsTimeout:
		return "lookup: timeout"
	}
	return "lookup: name server failed"
}

// printable returns text with an escape for each character that is not printed.
func printable(text string) string {
	if strings.IndexFunc(text, odd) < 0 {
		return text
	}
	var b strings.Builder
	for _, r := range text {
		if odd(r) {
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// odd reports whether a character must not be written as it is.
func odd(r rune) bool { return !unicode.IsPrint(r) }
