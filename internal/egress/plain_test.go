package egress

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"testing/iotest"
	"time"
)

// private parts of the errors below.
var canaries = []string{"10.1.2.3", "127.0.0.1", "169.254", "fd12", "53", "db.corp", "hunter2", "canary", "/srv", "/tmp", "voice-"}

// same reports whether a and b are one error, and not only of one chain.
func same(a, b error) bool { return a == b } //nolint:errorlint // see above

func TestPlainErrorsNameNothing(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 443}
	dial := func(err error) error {
		return &url.Error{Op: "Get", URL: "https://me:hunter2@db.corp/", Err: &net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: err}}
	}
	system := func(op string, n syscall.Errno) error {
		return &net.OpError{Op: op, Net: "tcp", Source: at, Addr: at, Err: os.NewSyscallError("canary", n)}
	}
	for _, c := range []struct {
		err  error
		want string
	}{
		{dial(&net.DNSError{Err: "no such host", Name: "db.corp", Server: "10.1.2.3:53", IsNotFound: true}), "the host name does not exist"},
		{dial(&net.DNSError{Err: "i/o timeout", Name: "db.corp", Server: "10.1.2.3:53", IsTimeout: true}), "the host name could not be looked up in time"},
		{dial(&net.DNSError{Err: "read udp 10.1.2.3:53: connection refused", Name: "db.corp", Server: "10.1.2.3:53"}), "the host name could not be looked up"},
		{dial(&net.AddrError{Err: "no suitable address", Addr: "10.1.2.3"}), "the address cannot be read"},
		{dial(&net.ParseError{Type: "IP address", Text: "10.1.2.3.canary"}), "the address cannot be read"},
		{dial(fmt.Errorf("%w: it is not public", ErrAddressRefused)), "address not allowed"},
		{system("dial", syscall.ECONNREFUSED), "no connection: connection refused"},
		{system("dial", syscall.EHOSTUNREACH), "no connection: no route to host"},
		{system("dial", syscall.EMFILE), "no connection: too many open files"},
		{system("proxyconnect", syscall.ECONNREFUSED), "no connection to the proxy: connection refused"},
		{system("read", syscall.ECONNRESET), "the connection broke: connection reset by peer"},
		{system("write", syscall.EPIPE), "the connection broke: broken pipe"},
		{dial(context.DeadlineExceeded), "no connection in time"},
		{dial(os.ErrDeadlineExceeded), "no connection in time"},
		{&net.OpError{Op: "read", Net: "tcp", Addr: at, Err: os.ErrDeadlineExceeded}, "no answer in time"},
		{context.DeadlineExceeded, "no answer in time"},
		{&url.Error{Op: "Get", URL: "https://db.corp", Err: context.Canceled}, "canceled"},
		{&net.OpError{Op: "read", Net: "tcp", Addr: at, Err: io.EOF}, "the connection broke"},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), "the connection broke"},
		{net.ErrClosed, "the connection broke"},
		{errors.New("http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR, debug=\"canary\""), "the connection broke (HTTP/2)"},
		{errors.New("net/http: server response headers exceeded 65536 bytes; aborted"), "the header of the answer is too long"},
		{&fs.PathError{Op: "open", Path: "/tmp/voice-1", Err: syscall.ENOSPC}, "no space left on device"},
		{errors.New("it was redirected more than 3 times"), "it was redirected more than 3 times"},
		{errors.New(`open /srv/canary: at 10.1.2.3:53 or [fd12::1]:80 or fd12:3456::1 or http://me:hunter2@db.corp/x or "canary \"canary"`),
			"open …: at … or … or … or … or …"},
	} {
		got := Plain(fmt.Errorf("canary: %w", c.err))
		if got.Error() != c.want && got.Error() != "canary: "+c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
		if !errors.Is(got, c.err) || !same(Plain(got), got) {
			t.Errorf("%v: the cause is lost, or it is made plain twice", c.err)
		}
		if text := slog.AnyValue(got).Resolve().String(); text != got.Error() {
			t.Errorf("%v: it is logged as %q", c.err, text)
		}
	}
	if Plain(nil) != nil || !same(Plain(io.EOF), io.EOF) {
		t.Error("nil or io.EOF is not what it was")
	}
	broken := &net.OpError{Op: "read", Net: "tcp", Addr: at, Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	if _, err := io.ReadAll(PlainReader(io.MultiReader(strings.NewReader("x"), iotest.ErrReader(broken)))); err == nil ||
		err.Error() != "the connection broke: connection reset by peer" {
		t.Errorf("a reader says %v", err)
	}
}

// What a real client says about servers that fail in each way, and about names that do.
func TestPlainErrorsOfAClientNameNothing(t *testing.T) {
	raw := func(answer string) string { // a server that writes this and no more
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				_, _ = c.Read(make([]byte, 4096))
				_, _ = io.WriteString(c, answer)
				c.Close()
			}
		}()
		return "http://" + l.Addr().String() + "/canary"
	}
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	secure.StartTLS()
	defer secure.Close()
	old := httptest.NewUnstartedServer(http.NotFoundHandler())
	old.Config.ErrorLog = secure.Config.ErrorLog
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	closed := raw("")
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	unused := "http://" + l.Addr().String() + "/canary"
	l.Close()
	for _, c := range []struct{ name, url, want string }{
		{"nobody there", unused, "no connection: connection refused"},
		{"hangs up", closed, "the connection broke"},
		{"no HTTP", raw("SSH-2.0-canary\r\n"), "the answer is not HTTP"},
		{"a header that is none", raw("HTTP/1.1 200 OK\r\ncanary\r\n\r\n"), "the answer is not HTTP"},
		{"a header without end", raw("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("canary", 20_000) + "\r\n\r\n"), "the header of the answer is too long"},
		{"HTTP instead of HTTPS", strings.Replace(raw("HTTP/1.1 400 Bad Request\r\n\r\ncanary"), "http:", "https:", 1), "TLS: the server does not speak it on this port"},
		{"an unknown authority", secure.URL, "TLS: the certificate is signed by an unknown authority"},
		{"an old version", old.URL, "TLS: protocol version not supported"},
		{"a metadata service", "http://169.254.169.254/canary", "address not allowed"},
		{"a name that means nothing", "http://db.corp./canary", "the host name does not exist"},
		{"a redirect to nowhere", raw("HTTP/1.1 302 Found\r\nLocation: http://me:hunter2@[canary/\r\nContent-Length: 0\r\n\r\n"), "the redirect cannot be read"},
		{"half an answer", raw("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncanary"), "the connection broke"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		client := &http.Client{Transport: Guard{Operator: true, Resolver: newNames([]netip.Addr{}).resolver()}.Transport()}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.url, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := client.Do(req)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			resp.Body.Close()
		}
		cancel()
		client.CloseIdleConnections()
		if err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		got := Plain(err).Error()
		if got != c.want {
			t.Errorf("%s: got %q of %q, want %q", c.name, got, err, c.want)
		}
		for _, canary := range canaries {
			if strings.Contains(got, canary) {
				t.Errorf("%s: %q names %s", c.name, got, canary)
			}
		}
	}
}
