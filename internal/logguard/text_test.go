package logguard

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

const canary = "canary7b1f"

// A refusal is an error that says itself what is for the log.
type refusal struct{ code int }

func (r refusal) Error() string { return fmt.Sprintf("refused with %d: %s", r.code, canary) }

func (r refusal) LogValue() slog.Value {
	return slog.StringValue(fmt.Sprintf("refused with %d", r.code))
}

// A passing is an error whose log value is another error.
type passing struct{ cause error }

func (p passing) Error() string        { return canary + ": " + p.cause.Error() }
func (p passing) LogValue() slog.Value { return slog.AnyValue(p.cause) }

// second returns the error of two results.
func second[T any](_ T, err error) error { return err }

func TestTextLeavesOutWhatPeersWrote(t *testing.T) {
	unknownField := json.NewDecoder(strings.NewReader(`{"` + canary + `":1}`))
	unknownField.DisallowUnknownFields()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"an own error":      {fmt.Errorf("journal: %w", io.ErrUnexpectedEOF), "journal: unexpected EOF"},
		"log value":         {fmt.Errorf("dial: %w; later", refusal{402}), "dial: refused with 402; later"},
		"log value, error":  {passing{fmt.Errorf("no: %w", refusal{7})}, "no: refused with 7"},
		"joined":            {errors.Join(refusal{1}, errors.New("own"), refusal{2}), `refused with 1\nown\nrefused with 2`},
		"cut by a wrapper":  {cutting{refusal{3}}, "refused with 3"},
		"hidden by another": {&hiding{refusal{4}}, "refused with 4"},
		"JSON syntax":       {json.Unmarshal([]byte(canary), new(int)), "not JSON, at byte 1"},
		"JSON type":         {json.Unmarshal([]byte(`{"A":"`+canary+`"}`), new(struct{ A int })), "JSON of another type than int, at byte 17"},
		"JSON field":        {unknownField.Decode(new(struct{ A int })), "json: unknown field (10 bytes)"},
		"number":            {fmt.Errorf("rate: %w", second(strconv.Atoi(canary))), "rate: not a number"},
		"time":              {second(time.Parse(time.RFC3339, canary)), "parsing time (10 bytes) as (25 bytes): cannot parse (10 bytes) as (4 bytes)"},
		"URL":               {second(url.Parse(strings.Join([]string{"http://", "/%zz", ""}, canary))), "parse (31 bytes): invalid URL escape (3 bytes)"},
		"URL error":         {&url.Error{Op: "Get", URL: "https://h/?q=" + canary, Err: io.EOF}, "Get (23 bytes): EOF"},
		"DNS": {&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: canary, Server: "10.1.2.3:53", IsNotFound: true}},
			"dial tcp: lookup: no such host"},
		"peer's address": {fmt.Errorf("send: %w", &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 5432}, Err: syscall.ECONNREFUSED}),
			"send: dial tcp: connection refused"},
		"DNS server":           {&net.DNSError{Err: "server misbehaving", Name: canary, Server: "10.1.2.3:53"}, "lookup: name server failed"},
		"DNS timeout":          {&net.DNSError{Err: "i/o timeout", Name: canary, IsTimeout: true}, "lookup: timeout"},
		"address":              {second(net.ResolveTCPAddr("tcp", "1:2:3"+canary)), "an address cannot be read"},
		"header":               {textproto.ProtocolError("malformed MIME header line: " + canary), "malformed header"},
		"response":             {readResponse(canary + "\r\n\r\n"), "malformed HTTP response (10 bytes)"},
		"response header":      {readResponse("HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n"), "malformed header"},
		"length":               {readResponse("HTTP/1.1 200 OK\r\nContent-Length: " + canary + "\r\n\r\n"), "bad Content-Length (10 bytes)"},
		"certificate name":     {x509.HostnameError{Certificate: &x509.Certificate{DNSNames: []string{canary}}, Host: canary}, "x509: the certificate is for other names"},
		"authority":            {x509.UnknownAuthorityError{}, "x509: certificate signed by unknown authority"},
		"invalid":              {x509.CertificateInvalidError{Reason: x509.Expired, Detail: canary}, "x509: the certificate is not valid, reason 1"},
		"quote without an end": {errors.New(`got "` + canary), "got (9 bytes)"},
		"quote with escapes":   {fmt.Errorf("got %q and %q", canary+`"`+canary, `\`), "got (22 bytes) and (2 bytes)"},
	} {
		if got := Text(c.err); got != c.want {
			t.Errorf("%s: %q is logged as %q, want %q", name, c.err, got, c.want)
		}
	}
}

// A hiding does not repeat the text of its cause as it is.
type hiding struct{ cause error }

func (h *hiding) Error() string { return strings.ToUpper(h.cause.Error()) }
func (h *hiding) Unwrap() error { return h.cause }

// A cutting repeats only the beginning of its cause.
type cutting struct{ cause error }

func (c cutting) Error() string { return c.cause.Error()[:20] }
func (c cutting) Unwrap() error { return c.cause }

// readResponse returns what net/http says of an answer.
func readResponse(text string) error {
	resp, err := http.ReadResponse(bufio.NewReader(strings.NewReader(text)), nil)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

// A tree of errors that has no end is cut.
type endless struct{}

func (endless) Error() string     { return canary }
func (e endless) Unwrap() []error { return []error{e, e} }

func TestTextEndsInAnEndlessTree(t *testing.T) {
	if got := Text(endless{}); strings.Contains(got, canary) {
		t.Errorf("got %q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("a", "b")
	f.Add(`"`, `\"`)
	f.Add(`\`, "\u202e")
	f.Fuzz(func(t *testing.T, a, b string) {
		got := Text(fmt.Errorf("a peer said %q, then %q: %w", a, canary+b, second(strconv.Atoi(b))))
		if strings.Contains(got, canary) || len(got) > 6*maxValue+100 {
			t.Errorf("got %q", got)
		}
	})
}
