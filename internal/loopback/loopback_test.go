package loopback

import (
	"net"
	"net/http"
	"testing"
)

func TestOnlyThisMachineIsLoopback(t *testing.T) {
	for _, host := range []string{"localhost", "LocalHost", "localhost:80", "127.0.0.1", "127.8.9.1:1", "[::1]", "[::1]:8080", "::1", "[::ffff:127.0.0.1]:1"} {
		if !Host(host) {
			t.Errorf("%q: got false, want true", host)
		}
	}
	for _, host := range []string{"", ":8080", "0.0.0.0", "[::]:8080", "192.0.2.1", "localhost.evil.example", "127.0.0.1.nip.io", "bridge.example:8080",
		"localhost.", "127.1", "0x7f000001", "2130706433", "[fe80::1%lo]:1", "127.0.0.1@evil.example"} {
		if Host(host) {
			t.Errorf("%q: got true, want false", host)
		}
	}
}

func TestAStrangerIsRecognized(t *testing.T) {
	here, elsewhere := net.IPv4(127, 0, 0, 1), net.IPv4(192, 0, 2, 1)
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Add(pairs[i], pairs[i+1])
		}
		return h
	}
	const host = "127.0.0.1:8080"
	for _, tt := range []struct {
		name   string
		peer   net.IP
		host   string
		header http.Header
		want   bool // a stranger
	}{
		{"a program", here, host, nil, false},
		{"a program over IPv6", net.IPv6loopback, "[::1]:8080", nil, false},
		{"another machine", elsewhere, host, nil, true},
		{"an address that is not known", nil, host, nil, true},
		{"a name made to mean this machine", here, "evil.example:8080", nil, true},
		{"no host", here, "", nil, true},
		{"our own page", here, host, header("Origin", "http://127.0.0.1:8080", "Sec-Fetch-Site", "same-origin"), false},
		{"an address that a person typed", here, host, header("Sec-Fetch-Site", "none"), false},
		{"an origin that no browser sends", here, host, header("Origin", "a-carrier"), false},
		{"another page", here, host, header("Origin", "https://evil.example"), true},
		{"another page that sends our origin first", here, host, header("Origin", "http://127.0.0.1:8080", "Origin", "https://evil.example"), true},
		{"another port of this machine", here, host, header("Origin", "http://127.0.0.1:3000"), true},
		{"a page without an origin", here, host, header("Origin", "null"), true},
		{"a file's page", here, host, header("Origin", "file://"), true},
		{"an image on another page", here, host, header("Sec-Fetch-Site", "cross-site"), true},
		{"another page of this machine", here, host, header("Sec-Fetch-Site", "same-site"), true},
		{"an unknown kind of page", here, host, header("Sec-Fetch-Site", ""), true},
		{"a proxy", here, host, header("X-Forwarded-For", "203.0.113.7"), true},
		{"a proxy that hides the client", here, host, header("X-Forwarded-For", ""), true},
	} {
		got := Request{Peer: tt.peer, Host: tt.host, Header: tt.header.Values}.Stranger()
		if (got != "") != tt.want {
			t.Errorf("%s: got %q, want a stranger: %v", tt.name, got, tt.want)
		}
	}
	for _, name := range proxyHeaders {
		if got := (Request{Peer: here, Host: host, Header: header(name, "x").Values}).Stranger(); got == "" {
			t.Errorf("%s: got no stranger", name)
		}
	}
}
