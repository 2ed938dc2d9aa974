package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

// withOpenFiles returns a program that runs a program with a limit of open files.
func withOpenFiles(t *testing.T, program string, limit int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "bridge")
	script := fmt.Sprintf("#!/bin/sh\nulimit -S -n %d && ulimit -H -n %d || exit 99\nexec %s \"$@\"\n", limit/2, limit, program)
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// peak is the most memory that the child has had, in bytes.
func (c *child) peak(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	kB, err := strconv.Atoi(regexp.MustCompile(`VmHWM:\s+(\d+)`).FindStringSubmatch(string(status))[1])
	if err != nil {
		t.Fatal(err)
	}
	return kB << 10
}

// connect opens connections to the child, from an address of this machine, and sends something on each.
func (c *child) connect(t *testing.T, n int, from, text string) (conns []net.Conn) {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	for range n {
		conn, err := dialer.DialContext(t.Context(), "tcp", c.address)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, text) // perhaps it is closed already
		conns = append(conns, conn)
	}
	t.Cleanup(func() { closeAll(conns) })
	return conns
}

func closeAll(conns []net.Conn) {
	for _, c := range conns {
		_ = c.Close()
	}
}

// Strangers open more connections than the process may have files: calls go on, and new ones come in.
func TestABridgeOutlivesMoreConnectionsThanOpenFiles(t *testing.T) {
	program := built(t)
	for name, text := range map[string]string{
		"idle":                      "",
		"that send a header slowly": "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: ",
		"that send a body slowly":   "POST /voice/twilio HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\nCallSid=CA1",
		"that send most of a body":  "POST /voice/twilio HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n" + strings.Repeat("x", 59000),
		"kept alive":                "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, program)
			b := startChild(t, withOpenFiles(t, program, 200), s.env)
			for _, want := range []string{`"open_files":200`, `"other_connections":50`, "BRIDGE_MAX_CALLS is more than there are files for"} {
				if !strings.Contains(b.log, want) {
					t.Errorf("want %q in the log:\n%s", want, b.log)
				}
			}
			up := speak(b, "CAup", "one", "two", "three")
			s.started(t, "CAup")
			var strangers []net.Conn
			for i := range 3 {
				strangers = append(strangers, b.connect(t, 100, fmt.Sprintf("127.0.0.%d", i+2), text)...)
			}
			spoken(t, speak(b, "CAnew", "four"))
			spoken(t, up)
			s.ended(t, 2)
			if open, limit := b.metric(t, "bridge_connections"), b.metric(t, "bridge_connections_limit"); open > limit || limit != 50 {
				t.Errorf("%g connections are open, and the limit is %g; want no more than 50", open, limit)
			}
			if b.metric(t, "bridge_connections_closed_total") < 200 {
				t.Error("want the connections counted that were closed for others")
			}
			if peak := b.peak(t); peak > 150<<20 {
				t.Errorf("the bridge took %d bytes of memory, want less than 150 MiB", peak)
			}
			closeAll(strangers)
			b.until(t, "bridge_connections", func(v float64) bool { return v <= 2 })
			b.stop(t)
			got := s.delivered(t)
			if up, fresh := texts(got["CAup"]), texts(got["CAnew"]); !slices.Equal(up, []string{"one", "two", "three"}) || !slices.Equal(fresh, []string{"four"}) {
				t.Errorf("got %q and %q, want all that was said", up, fresh)
			}
		})
	}
}

// More calls than there are files for are refused, so that those that are up keep theirs.
func TestABridgeTakesNoMoreCallsThanItHasFilesFor(t *testing.T) {
	program := built(t)
	s := newSite(t, program)
	b := startChild(t, withOpenFiles(t, program, 96), s.env) // 24 connections, 64 of its own: 2 calls
	if got := b.metric(t, "bridge_calls_limit"); got != 2 {
		t.Fatalf("got a limit of %g calls, want 2", got)
	}
	first, second := speak(b, "CA1", "one", "two"), speak(b, "CA2", "three", "four")
	s.started(t, "CA1")
	s.started(t, "CA2")
	_, err := (&mediatest.Call{URL: b.mediaURL(), CallSID: "CA3", StreamSID: "MZ3"}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "503") {
		t.Errorf("the third call got %v, want 503", err)
	}
	spoken(t, first)
	spoken(t, second)
	s.ended(t, 2)
	b.stop(t)
}

// Behind a trusted proxy the connections of one client are bounded, not those of the proxy.
func TestConnectionsThroughAProxyAreCountedForTheClient(t *testing.T) {
	s := newSite(t, built(t), "BRIDGE_TRUSTED_PROXIES=127.0.0.1,10.0.0.0/8", "TWILIO_AUTH_TOKEN=token", "BRIDGE_PUBLIC_URL=https://bridge.example")
	b := startChild(t, withOpenFiles(t, s.program, 400), s.env) // 100 connections, 16 of an address
	slow := func(client string) net.Conn {
		return b.connect(t, 1, "127.0.0.1", "POST /voice/twilio HTTP/1.1\r\nHost: localhost\r\nX-Twilio-Signature: x\r\nX-Forwarded-For: 192.0.2.99, "+client+
			"\r\nX-Forwarded-For: 10.1.2.3\r\nContent-Length: 60000\r\n\r\n"+strings.Repeat("x", 10_000))[0]
	}
	closed := func() bool {
		return !strings.Contains(b.fetch(t, "/metrics"), `bridge_connections_closed_total{reason="address"} 0`+"\n")
	}
	others := []net.Conn{slow("192.0.2.1"), slow("192.0.2.2")}
	var crowd []net.Conn
	pace := time.NewTicker(20 * time.Millisecond) // a new connection is safe for 100 ms
	defer pace.Stop()
	for ; !closed(); <-pace.C {
		if len(crowd) == 90 {
			t.Fatal("no connection was closed because its client has too many")
		}
		crowd = append(crowd, slow("192.0.2.3"))
	}
	if _, err := io.Copy(io.Discard, crowd[0]); err == nil { // it is closed, with or without a reset
		t.Logf("%d connections of one client, and the first is closed", len(crowd))
	}
	for _, c := range others {
		if _, err := io.WriteString(c, strings.Repeat("x", 50_000)); err != nil {
			t.Fatal(err)
		}
		resp, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatalf("another client's request: %v", err)
		}
		if _ = resp.Body.Close(); resp.StatusCode != http.StatusForbidden {
			t.Errorf("got %d for another client's request, want 403: it is not signed", resp.StatusCode)
		}
	}
	b.stop(t)
}

// started waits until the webhook has got an event of a call.
func (s *site) started(t *testing.T, call string) {
	t.Helper()
	s.wait(t, func([]webhooktest.Request) bool { return len(s.delivered(t)[call]) > 0 })
}

// A request that only announces a body costs next to nothing, on any route, with and without credentials.
func TestAnnouncedBodiesAllocateNothing(t *testing.T) {
	s := newSite(t, built(t), "BRIDGE_API_TOKEN=a-token-of-this-test")
	b := startChild(t, s.program, s.env)
	allocated := func() float64 { return b.metricWith(t, "go_memstats_alloc_bytes_total", "a-token-of-this-test") }
	var requests []string
	for _, route := range []string{"GET /healthz", "POST /nowhere", "POST /voice/twilio", "POST /v1/calls/CA1/actions", "POST /v1/deliveries/redeliver", "GET /media/twilio"} {
		for _, header := range []string{
			"Content-Length: 2097152", "Content-Length: 65536", "Content-Length: 60000\r\nAuthorization: Bearer a-token-of-this-test",
			"Content-Length: 2097152\r\nAuthorization: Bearer a-token-of-this-test", "Content-Length: 1000000000000",
			"Content-Length: 2097152\r\nContent-Type: multipart/form-data; boundary=a", "Content-Length: 2097152\r\nExpect: 100-continue",
			"Transfer-Encoding: chunked\r\n\r\n200000\r\nx", "Content-Length: 2097152\r\nX-Twilio-Signature: x", "Content-Length: 2097152\r\nContent-Encoding: gzip",
		} {
			requests = append(requests, route+" HTTP/1.1\r\nHost: localhost\r\n"+header+"\r\n\r\n")
		}
	}
	before := allocated()
	const times = 3
	for range times {
		for _, request := range requests {
			c := b.connect(t, 1, "127.0.0.1", request)[0]
			if err := c.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			_, _ = io.Copy(io.Discard, c) // until the server has closed it, or reset it
		}
	}
	if each := (allocated() - before) / float64(times*len(requests)); each > 64<<10 {
		t.Errorf("a request that announces a body allocates %.0f bytes, want less than 64 KiB", each)
	}
	b.stop(t)
}

// metricWith is metric where a token is needed.
func (c *child) metricWith(t *testing.T, name, token string) float64 {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url()+"/metrics", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	found := regexp.MustCompile(`(?m)^` + name + ` (\S+)$`).FindSubmatch(body)
	if err != nil || found == nil {
		t.Fatalf("no %s in the answer %d, %v", name, resp.StatusCode, err)
	}
	v, err := strconv.ParseFloat(string(found[1]), 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// What is refused is answered with a reason, and counted.
func TestRefusedRequestsGetAReason(t *testing.T) {
	s := newSite(t, built(t))
	b := startChild(t, s.program, s.env)
	refused := func() float64 { return b.metric(t, "bridge_http_refusals_total") }
	for name, c := range map[string]struct {
		request string
		status  int
		detail  string
	}{
		"gzip":                {"POST /v1/calls/CA1/actions HTTP/1.1\r\nContent-Encoding: gzip, gzip\r\nContent-Length: 4\r\n\r\nabcd", 415, "without compression"},
		"gzip, any route":     {"POST /voice/twilio HTTP/1.1\r\nContent-Encoding: br\r\nContent-Length: 100\r\n\r\n", 415, "without compression"},
		"gzip without a body": {"GET /healthz HTTP/1.1\r\nContent-Encoding: deflate\r\n\r\n", 415, "without compression"},
		"too long":            {"POST /voice/twilio HTTP/1.1\r\nContent-Length: 65537\r\n\r\n", 413, "at most 65536 bytes"},
		"far too long":        {"POST /v1/calls/CA1/actions HTTP/1.1\r\nContent-Length: 2097153\r\n\r\n", 413, "at most 2097152 bytes"},
		"a long header":       {"GET /healthz HTTP/1.1\r\nX-Long: " + strings.Repeat("x", 5000) + "\r\n\r\n", 431, "longer than 4096 bytes"},
		"no such route":       {"GET /nowhere HTTP/1.1\r\n\r\n", 404, "/nowhere"},
		"no such method":      {"DELETE /healthz HTTP/1.1\r\n\r\n", 405, "Method Not Allowed"},
		"no HTTP":             {"SSH-2.0-OpenSSH_9.2\r\n\r\n", 400, "This is not a request of HTTP/1.1 that can be read."},
		"a wrong length":      {"POST /healthz HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, "This is not a request of HTTP/1.1 that can be read."},
		"two lengths":         {"POST /healthz HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400, "both Content-Length and Transfer-Encoding"},
		"no method":           {"BREW /healthz HTTP/1.1\r\n\r\n", 501, "no such method"},
		"HTTP/2":              {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 501, "no such method"},
		"no WebSocket":        {"GET /media/twilio HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 426, "HTTP/1.1"},
	} {
		t.Run(name, func(t *testing.T) {
			before := refused()
			line, rest, _ := strings.Cut(c.request, "\r\n")
			conn := b.connect(t, 1, "127.0.0.1", line+"\r\nHost: localhost\r\n"+rest)[0]
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			var problem struct {
				Status int
				Detail string
			}
			if err := json.NewDecoder(resp.Body).Decode(&problem); err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != c.status || problem.Status != c.status || !strings.Contains(problem.Detail, c.detail) ||
				resp.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s %+v, want %d with %q as a problem", resp.StatusCode, resp.Header.Get("Content-Type"), problem, c.status, c.detail)
			}
			if got := refused() - before; got != 1 {
				t.Errorf("counted %g refusals, want 1", got)
			}
		})
	}
	b.stop(t)
}
