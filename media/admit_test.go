package media_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

const public = "https://bridge.example.com"

func TestStrangersAreRefusedBeforeTheUpgrade(t *testing.T) {
	forwarded := http.Header{"X-Forwarded-For": {"203.0.113.7"}}
	lying := http.Header{"X-Forwarded-Host": {"evil.example"}, "Host": {"evil.example"}, "X-Forwarded-Proto": {"https"}}
	for _, c := range []struct {
		name   string
		server *media.Server
		call   mediatest.Call
		path   string
		status int    // 0: the call is taken
		detail string // in the answer
	}{
		{"nothing configured, from this machine", &media.Server{}, mediatest.Call{}, "/media/twilio", 0, ""},
		{"the short path", &media.Server{}, mediatest.Call{}, "/media", 0, ""},
		{"nothing configured, forwarded", &media.Server{}, mediatest.Call{Header: forwarded}, "/media/twilio", 403, "no carrier authentication"},
		{"insecure, forwarded", &media.Server{Insecure: true}, mediatest.Call{Header: forwarded}, "/media", 0, ""},
		{"insecure, from a web page", &media.Server{Insecure: true}, mediatest.Call{Header: http.Header{"Origin": {"https://evil.example"}}}, "/media", 0, ""},

		{"signed", signing("t1"), mediatest.Call{AuthToken: "t1", PublicURL: public}, "/media/twilio", 0, ""},
		{"signed with the token before last", signing("t2", "t1"), mediatest.Call{AuthToken: "t1", PublicURL: public}, "/media/twilio", 0, ""},
		{"signed for a path with a slash", signing("t1"), signedFor("t1", "wss://bridge.example.com/media/"), "/media", 0, ""},
		{"signed with a port", signing("t1"), signedFor("t1", "wss://bridge.example.com:443/media"), "/media", 0, ""},
		{"signed for https", signing("t1"), signedFor("t1", "https://bridge.example.com/media"), "/media", 0, ""},
		{"not signed", signing("t1"), mediatest.Call{}, "/media/twilio", 403, "no X-Twilio-Signature"},
		{"not signed and insecure", &media.Server{PublicURL: public, AuthTokens: []media.Secret{"t1"}, Insecure: true}, mediatest.Call{}, "/media", 403, ""},
		{"signed with another token", signing("t1"), mediatest.Call{AuthToken: "t2", PublicURL: public}, "/media", 403, "not ours"},
		{"signed for another path", signing("t1"), signedFor("t1", "wss://bridge.example.com/media/twilio"), "/media", 403, ""},
		{"signed for the host the request claims", signing("t1"), with(signedFor("t1", "wss://evil.example/media"), lying), "/media", 403, ""},
		{"signed, but we do not know our name", &media.Server{AuthTokens: []media.Secret{"t1"}}, mediatest.Call{AuthToken: "t1"}, "/media", 503, "BRIDGE_PUBLIC_URL"},

		{"the token in the path", &media.Server{PathToken: "s3c/ret"}, mediatest.Call{}, "/media/twilio/s3c%2Fret", 0, ""},
		{"a wrong token in the path", &media.Server{PathToken: "secret"}, mediatest.Call{}, "/media/twilio/public", 403, "token in the path"},
		{"a token longer by one", &media.Server{PathToken: "secret"}, mediatest.Call{}, "/media/twilio/secrets", 403, ""},
		{"no token in the path", &media.Server{PathToken: "secret"}, mediatest.Call{}, "/media/twilio", 403, ""},
		{"no token in the short path", &media.Server{PathToken: "secret", Insecure: true}, mediatest.Call{}, "/media", 403, ""},
		{"a token nobody asked for", &media.Server{}, mediatest.Call{}, "/media/twilio/secret", 403, "expects no token"},
		{"both", withPath(signing("t1"), "secret"), mediatest.Call{AuthToken: "t1", PublicURL: public}, "/media/twilio/secret", 0, ""},
		{"both, but not signed", withPath(signing("t1"), "secret"), mediatest.Call{}, "/media/twilio/secret", 403, ""},
		{"both, but a wrong path", withPath(signing("t1"), "secret"), mediatest.Call{AuthToken: "t1", PublicURL: public}, "/media/twilio", 403, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			srv := serve(t, c.server)
			c.call.URL = "ws://" + srv.addr + c.path
			_, err := c.call.Run(context.Background())
			var refused *mediatest.HandshakeError
			switch {
			case c.status == 0 && err != nil:
				t.Fatalf("got %v, want the call to be taken", err)
			case c.status == 0:
				srv.next(t)
				return
			case !errors.As(err, &refused):
				t.Fatalf("got %v, want a refusal", err)
			}
			if refused.Status != c.status || !strings.Contains(refused.Detail, c.detail) {
				t.Errorf("got %d %q, want %d and something about %q", refused.Status, refused.Detail, c.status, c.detail)
			}
			if got := refused.Header.Get("Content-Type"); got != "application/problem+json" {
				t.Errorf("content type: got %q", got)
			}
			if got := srv.Stats(); got.Denied != 1 || got.Started != 0 {
				t.Errorf("stats: got %+v, want one denied", got)
			}
		})
	}
}

func signing(tokens ...media.Secret) *media.Server {
	return &media.Server{PublicURL: public, AuthTokens: tokens}
}

func withPath(s *media.Server, token media.Secret) *media.Server {
	s.PathToken = token
	return s
}

func signedFor(token, url string) mediatest.Call {
	return mediatest.Call{Header: http.Header{"X-Twilio-Signature": {mediatest.Sign(token, url, nil)}}}
}

func with(c mediatest.Call, header http.Header) mediatest.Call {
	for name, values := range header {
		c.Header[name] = values
	}
	return c
}

// A stranger is a connection whose other end is not on this machine.
type stranger struct{ net.Conn }

func (stranger) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 40000} }

type strangers struct{ net.Listener }

func (l strangers) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	return stranger{c}, err
}

func TestOnlyThisMachineIsServedWhereNothingIsConfigured(t *testing.T) {
	srv := serveOn(t, &media.Server{PublicURL: public}, func(ln net.Listener) net.Listener { return strangers{ln} })
	_, err := (&mediatest.Call{URL: srv.url()}).Run(context.Background())
	var refused *mediatest.HandshakeError
	if !errors.As(err, &refused) || refused.Status != 403 {
		t.Errorf("stream: got %v, want 403", err)
	}
	resp, err := http.Post("http://"+srv.addr+"/voice/twilio", "application/x-www-form-urlencoded", strings.NewReader("CallSid=CA1"))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("webhook: got %d, want 403", resp.StatusCode)
	}
}

func TestARequestThatMayBeAStrangersIsNotServedForItsAddressAlone(t *testing.T) {
	srv := serve(t, &media.Server{PublicURL: public})
	port := srv.addr[strings.LastIndex(srv.addr, ":"):]
	for _, c := range []struct {
		name, host string
		header     http.Header
		ok         bool
	}{
		{"a program on this machine", srv.addr, nil, true},
		{"by name", "localhost" + port, nil, true},
		{"by name, in capitals", "LocalHost", nil, true},
		{"without a port", "127.0.0.1", nil, true},
		{"by another address of ours", "127.1.2.3" + port, nil, true},
		{"by IPv6", "[::1]" + port, nil, true},
		{"by IPv6 without a port", "[::1]", nil, true},
		{"a web page of our own", srv.addr, http.Header{"Origin": {"http://" + srv.addr}, "Sec-Fetch-Site": {"same-origin"}}, true},
		{"with an origin that no browser sends", srv.addr, http.Header{"Origin": {"a-carrier"}}, true},

		{"a web page", srv.addr, http.Header{"Origin": {"https://evil.example"}}, false},
		{"a web page of this machine", srv.addr, http.Header{"Origin": {"http://localhost:3000"}}, false},
		{"a web page in a sandbox", srv.addr, http.Header{"Origin": {"null"}}, false},
		{"a browser, for another site", srv.addr, http.Header{"Sec-Fetch-Site": {"cross-site"}}, false},
		{"a browser that goes where a name was bent to", "evil.example" + port, nil, false},
		{"a name that begins like an address of ours", "127.0.0.1.evil.example" + port, nil, false},
		{"a name that ends like ours", "evil-localhost", nil, false},
		{"another address", "192.0.2.1" + port, nil, false},
		{"the address that is none", "0.0.0.0" + port, nil, false},

		{"behind a proxy: Forwarded", srv.addr, http.Header{"Forwarded": {"for=203.0.113.7"}}, false},
		{"behind a proxy: X-Forwarded-For", srv.addr, http.Header{"X-Forwarded-For": {"127.0.0.1"}}, false},
		{"behind a proxy: X-Forwarded-Host", srv.addr, http.Header{"X-Forwarded-Host": {"localhost"}}, false},
		{"behind a proxy: X-Forwarded-Proto", srv.addr, http.Header{"X-Forwarded-Proto": {"https"}}, false},
		{"behind a proxy: X-Real-IP", srv.addr, http.Header{"X-Real-Ip": {"127.0.0.1"}}, false},
		{"behind a proxy: Via", srv.addr, http.Header{"Via": {"1.1 proxy"}}, false},
		{"behind a proxy that has nothing to say", srv.addr, http.Header{"Forwarded": {""}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			header := c.header.Clone()
			if header == nil {
				header = http.Header{}
			}
			header.Set("Host", c.host) // the dialer takes it for the request's
			call := mediatest.Call{URL: srv.url(), Header: header}
			_, err := call.Run(context.Background())
			var refused *mediatest.HandshakeError
			switch {
			case c.ok && err != nil:
				t.Errorf("stream: got %v, want the call to be taken", err)
			case c.ok:
				srv.next(t)
			case !errors.As(err, &refused) || refused.Status != 403:
				t.Errorf("stream: got %v, want 403", err)
			case !strings.Contains(refused.Detail, "set the carrier's auth token") || !strings.Contains(refused.Detail, "web page"):
				t.Errorf("stream: got %q, want why, and what to do", refused.Detail)
			}
			want := 403
			if c.ok {
				want = 200
			}
			if got := ring(t, srv.addr, c.host, c.header); got != want {
				t.Errorf("webhook: got %d, want %d", got, want)
			}
		})
	}
}

// ring posts to the voice webhook at addr, by the name host, and returns the status.
func ring(t *testing.T, addr, host string, header http.Header) int {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+addr+"/voice/twilio", strings.NewReader("CallSid=CA1"))
	if err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	req.Host = host
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func TestThePathTokenDoesNotLeakThroughTheWebhook(t *testing.T) {
	s := &media.Server{PublicURL: public, PathToken: "secret", Insecure: true}
	srv := serveOn(t, s, func(ln net.Listener) net.Listener { return strangers{ln} })
	resp, err := http.Post("http://"+srv.addr+"/voice/twilio", "application/x-www-form-urlencoded", strings.NewReader("CallSid=CA1"))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != 403 || strings.Contains(string(body), "secret") {
		t.Errorf("got %d %s, want 403", resp.StatusCode, body)
	}
}

func TestAFullServerSaysSoBeforeTheUpgrade(t *testing.T) {
	srv := serve(t, &media.Server{MaxStreams: 2})
	running := make(chan error, 2)
	ctx, cancel := context.WithCancel(context.Background())
	opened := make(chan struct{}, 2)
	for range 2 {
		go func() {
			call := mediatest.Call{URL: srv.url(), Hold: time.Hour, Sent: once(opened)}
			_, err := call.Run(ctx)
			running <- err
		}()
	}
	for range 2 {
		<-opened
	}
	var refused *mediatest.HandshakeError
	if _, err := (&mediatest.Call{URL: srv.url()}).Run(ctx); !errors.As(err, &refused) || refused.Status != 503 {
		t.Errorf("a third call: got %v, want 503", err)
	}
	if got := srv.Stats(); got.Active != 2 || got.Full != 1 {
		t.Errorf("stats: got %+v, want 2 active and 1 full", got)
	}
	cancel()
	for range 2 {
		<-running
		srv.next(t)
	}
}

// once returns a Sent function that tells c about the first frame.
func once(c chan<- struct{}) func(mediatest.Track, time.Duration, time.Time) {
	told := false
	return func(mediatest.Track, time.Duration, time.Time) {
		if !told {
			told = true
			c <- struct{}{}
		}
	}
}

func TestWhatIsNoWebSocketIsToldSo(t *testing.T) {
	srv := serve(t, &media.Server{})
	upgrade := http.Header{
		"Connection": {"Upgrade"}, "Upgrade": {"websocket"}, "Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {"x"},
	}
	for _, c := range []struct {
		name, without string
		header        http.Header
		status        int
	}{
		{"no upgrade", "", nil, 426},
		{"an upgrade without a version", "Sec-Websocket-Version", upgrade, 400},
		{"an upgrade without a key", "Sec-Websocket-Key", upgrade, 400},
	} {
		req, err := http.NewRequest("GET", "http://"+srv.addr+"/media", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = c.header.Clone()
		req.Header.Del(c.without)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != c.status || resp.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("%s: got %d, %s, want %d", c.name, resp.StatusCode, resp.Header.Get("Content-Type"), c.status)
		}
	}
	if got := srv.Stats().Active; got != 0 {
		t.Errorf("active: got %d, want the slots of failed upgrades back", got)
	}
}

func TestTheHandshakeAnswersNoExtensionAndNoSubprotocol(t *testing.T) {
	srv := serve(t, &media.Server{Insecure: true})
	conn, err := net.Dial("tcp", srv.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_, err = io.WriteString(conn, "GET /media/twilio HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: https://elsewhere.example\r\n"+
		"Sec-WebSocket-Protocol: audio.example\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n")
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadDeadline(time.Now().Add(guard))
	var answer strings.Builder
	for b := make([]byte, 1); !strings.HasSuffix(answer.String(), "\r\n\r\n"); {
		if _, err := conn.Read(b); err != nil {
			t.Fatalf("after %q: %v", answer.String(), err)
		}
		answer.Write(b)
	}
	got := answer.String()
	if !strings.HasPrefix(got, "HTTP/1.1 101 ") || !strings.Contains(got, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=") {
		t.Errorf("got %q, want 101 and the key of RFC 6455 section 1.3", got)
	}
	for _, name := range []string{"sec-websocket-protocol", "sec-websocket-extensions"} {
		if strings.Contains(strings.ToLower(got), name) {
			t.Errorf("got %q, want no %s", got, name)
		}
	}
}
