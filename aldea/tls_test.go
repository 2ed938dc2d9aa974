package aldea

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"github.com/gorilla/websocket"
)

// A securePeer is a recognizer behind TLS that says nothing and counts.
type securePeer struct {
	*httptest.Server
	resumed atomic.Int64 // handshakes that resumed a session
}

func newSecurePeer(t *testing.T) *securePeer {
	p := &securePeer{}
	p.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.TLS.DidResume {
			p.resumed.Add(1)
		}
		u := websocket.Upgrader{Subprotocols: websocket.Subprotocols(r)[:1]}
		ws, err := u.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer ws.Close()
		for err == nil {
			_, _, err = ws.ReadMessage()
		}
	}))
	p.Config.ErrorLog = log.New(io.Discard, "", 0)
	p.StartTLS()
	t.Cleanup(p.Close)
	return p
}

// client returns a client of the peer with a copy of a TLS configuration that trusts it, and that configuration.
func (p *securePeer) client(t *testing.T, change func(*Config)) (*Client, *tls.Config) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(p.Certificate())
	config := Config{URL: p.URL, Key: "org_secret", TLS: &tls.Config{RootCAs: roots}}
	change(&config)
	c, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	return c, config.TLS
}

// connect opens one connection, which ends with the test.
func connect(t *testing.T, c *Client) *conn {
	t.Helper()
	h := c.hosts()[0]
	conn, err := c.dial(t.Context(), h, AuthSubprotocol)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.abort)
	return conn
}

func TestFurtherConnectionsResumeTheSession(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   int64 // of three handshakes
	}{
		{"by itself", func(*Config) {}, 2},
		{"with a TLS configuration that refuses", func(c *Config) { c.TLS.SessionTicketsDisabled = true }, 0},
	} {
		p := newSecurePeer(t)
		client, ours := p.client(t, c.change)
		for range 2 {
			connect(t, client)
		}
		other, err := client.With(Settings{Language: "es"})
		if err != nil {
			t.Fatal(err)
		}
		connect(t, other)
		if got := p.resumed.Load(); got != c.want {
			t.Errorf("%s: %d of 3 handshakes resumed a session, want %d", c.name, got, c.want)
		}
		if ours.ClientSessionCache != nil || ours.DynamicRecordSizingDisabled {
			t.Errorf("%s: the caller's configuration was changed", c.name)
		}
	}
}

// countingCache is a session cache that counts what is put into it.
type countingCache struct {
	tls.ClientSessionCache
	puts atomic.Int64
}

func (c *countingCache) Put(key string, s *tls.ClientSessionState) {
	c.puts.Add(1)
	c.ClientSessionCache.Put(key, s)
}

func TestTheCallersSessionCacheIsKept(t *testing.T) {
	cache := &countingCache{ClientSessionCache: tls.NewLRUClientSessionCache(0)}
	client, _ := newSecurePeer(t).client(t, func(c *Config) { c.TLS.ClientSessionCache = cache })
	connect(t, client)
	if cache.puts.Load() == 0 {
		t.Error("the session was not put into the caller's cache")
	}
}

// A countingConn notes how long each Write was.
type countingConn struct {
	net.Conn
	writes []int
}

func (c *countingConn) Write(b []byte) (int, error) {
	c.writes = append(c.writes, len(b))
	return c.Conn.Write(b)
}

func TestAMessageIsOneWriteFromTheFirstOn(t *testing.T) {
	var under *countingConn
	client, _ := newSecurePeer(t).client(t, func(c *Config) {
		c.Dial = func(ctx context.Context, network, addr string) (net.Conn, error) {
			nc, err := (&net.Dialer{}).DialContext(ctx, network, addr)
			under = &countingConn{Conn: nc}
			return under, err
		}
	})
	c := connect(t, client)
	const audio = 3200 // a tenth of a second
	for range 3 {
		under.writes = nil
		if err := c.writeAudio(make([]byte, frameRoom+audio)); err != nil {
			t.Fatal(err)
		}
		if len(under.writes) != 1 || under.writes[0] < audio {
			t.Fatalf("%d bytes of audio went out in writes of %v bytes, want one", audio, under.writes)
		}
	}
}
