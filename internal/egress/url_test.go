package egress

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
)

var urlCases = []struct {
	raw                string
	operator, stranger bool // may be used by
}{
	{"https://example.com", true, true},
	{"HTTPS://Example.com/a?b=c#d", true, true},
	{"https://example.com:443/x", true, true},
	{"https://example.com:8443/x", true, true},
	{"https://example.com:/x", true, true},
	{"https://[2606:4700:4700::1111]:8443/x", true, true},
	{"https://example.com/%41?q=%zz", true, true},
	{"https://bücher.example/", true, true},
	{"https://127.0.0.1/", true, true},  // refused when it is connected to
	{"https://2130706433/", true, true}, // the same
	{"http://example.com", true, false},
	{"http://127.0.0.1:3000/hook", true, false},
	{"https://example.com:80", true, false},
	{"https://example.com:22", true, false},
	{"https://example.com:44300", true, false},
	{"https://me:hunter2@example.com/x", true, false},
	{"https://me@example.com", true, false},
	{"https://:hunter2@example.com", true, false},
	{"https://@example.com", true, false},
	{"", false, false},
	{"example.com/hook", false, false},
	{"//example.com/hook", false, false},
	{"ftp://example.com", false, false},
	{"file:///etc/passwd", false, false},
	{"gopher://example.com", false, false},
	{"data:audio/wav;base64,AA==", false, false},
	{"mailto:hunter2@example.com", false, false},
	{"https:example.com", false, false},
	{"https://", false, false},
	{"https://:443", false, false},
	{"https:///hook", false, false},
	{"https://example.com:0", false, false},
	{"https://example.com:65536", false, false},
	{"https://example.com:http", false, false},
	{"https://example.com:-1", false, false},
	{"https://[::1", false, false},
	{"https://me:hun%ter2@example.com", false, false},
	{"https://me:hunter2@exam ple.com", false, false},
	{"https://example.com/\x00hunter2", false, false},
	{"https://example.com\r\nhunter2", false, false},
	{" https://example.com", false, false},
}

func TestURLsAreReadOrRefusedWithoutRepeatingThem(t *testing.T) {
	for _, c := range urlCases {
		for _, who := range []struct {
			guard Guard
			may   bool
		}{{Guard{Operator: true}, c.operator}, {Guard{}, c.stranger}} {
			u, err := who.guard.URL(c.raw)
			if (err == nil) != who.may || err != nil && (u != nil || !errors.Is(err, ErrURL)) {
				t.Errorf("%q, operator %t: got %v, %v; want accepted %t", c.raw, who.guard.Operator, u, err, who.may)
			}
			if err != nil && (strings.Contains(err.Error(), "hun") || strings.Contains(err.Error(), "example")) {
				t.Errorf("%q: the error repeats it: %v", c.raw, err)
			}
		}
	}
}

func TestPortsThatAreAllowedMayBeNamed(t *testing.T) {
	g := Guard{Ports: []uint16{9000}}
	if _, err := g.URL("https://example.com:9000"); err != nil {
		t.Errorf("got %v for an allowed port", err)
	}
	for _, raw := range []string{"https://example.com", "https://example.com:443"} {
		if _, err := g.URL(raw); !errors.Is(err, ErrURL) {
			t.Errorf("%s: got %v, want ErrURL", raw, err)
		}
	}
}

func FuzzURL(f *testing.F) {
	for _, c := range urlCases {
		f.Add(c.raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		_, operator := Guard{Operator: true}.URL(raw)
		u, err := Guard{}.URL(raw)
		if err != nil {
			if !errors.Is(err, ErrURL) {
				t.Fatalf("%q: got %v, want ErrURL", raw, err)
			}
			return
		}
		if operator != nil {
			t.Fatalf("%q is refused to the operator and not to strangers", raw)
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" {
			t.Fatalf("%q was accepted as %s", raw, u)
		}
		again, err := Guard{}.URL(u.String())
		if err != nil || again.Host != u.Host {
			t.Fatalf("%q was accepted as %s, and then: %v, %v", raw, u, again, err)
		}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, u.String(), nil)
		if err != nil || req.URL.Hostname() != u.Hostname() || req.URL.Port() != u.Port() {
			t.Fatalf("%q was accepted as %s, but no such request can be made: %v", raw, u, err)
		}
	})
}
