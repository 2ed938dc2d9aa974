// With Go's own resolver odd spellings of an address are no names. The system's reads them all.
//
//go:debug netdns=cgo
package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A neighbor is a server on the loopback interface that counts who connects.
type neighbor struct {
	*httptest.Server
	port        uint16
	connections atomic.Int64
}

// newNeighbor starts a server with TLS, which answers with answer.
func newNeighbor(t *testing.T, answer http.HandlerFunc) *neighbor {
	t.Helper()
	n := &neighbor{Server: httptest.NewUnstartedServer(answer)}
	n.Config.ErrorLog = log.New(io.Discard, "", 0)
	n.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			n.connections.Add(1)
		}
	}
	n.port = netip.MustParseAddrPort(n.Listener.Addr().String()).Port()
	n.StartTLS()
	t.Cleanup(n.Close)
	return n
}

// url is where the server is under a host's name.
func (n *neighbor) url(host string) string {
	return "https://" + host + ":" + strconv.Itoa(int(n.port)) + "/"
}

// client is g's client, which trusts the server's certificate under any name.
func (n *neighbor) client(t *testing.T, g Guard) *http.Client {
	t.Helper()
	c := g.Client()
	roots := x509.NewCertPool()
	roots.AddCert(n.Certificate())
	config := c.Transport.(checked).TLSClientConfig
	config.RootCAs, config.ServerName = roots, "example.com" // a name in httptest's certificate
	t.Cleanup(c.CloseIdleConnections)
	return c
}

// get asks for a URL and returns the status.
func get(t *testing.T, c *http.Client, url string) (int, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return 0, err
	}
	return resp.StatusCode, resp.Body.Close()
}

func ok(http.ResponseWriter, *http.Request) {}

var loopback = netip.MustParsePrefix("127.0.0.1/32")

func TestNoSpellingOfALoopbackAddressIsReached(t *testing.T) {
	server := newNeighbor(t, ok)
	client := server.client(t, Guard{Ports: []uint16{server.port}})
	for _, host := range []string{
		"127.0.0.1", "127.0.0.1.", "2130706433", "017700000001", "0x7f000001", "0x7F.0.0.1", "0177.0.0.1", "0177.0.0.01",
		"127.1", "127.0.1", "127.0x1", "0", "0.0.0.0", "localhost", "LOCALHOST", "localhost.",
		"[::1]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]", "[::127.0.0.1]",
		"[::]", "[fe80::1%25lo]", "[::1%25lo]", "[64:ff9b::127.0.0.1]", "[2002:7f00:1::]",
		"１２７.０.０.１", "127。0。0。1", "①②⑦.⓪.⓪.①",
	} {
		_, err := get(t, client, server.url(host))
		var unknown *net.DNSError
		if !errors.Is(err, ErrAddressRefused) && !errors.As(err, &unknown) {
			t.Errorf("%s: got %v, want it refused", host, err)
		}
	}
	if n := server.connections.Load(); n != 0 {
		t.Errorf("got %d connections, want none", n)
	}
}

func TestAnAllowedNetworkIsReached(t *testing.T) {
	server := newNeighbor(t, ok)
	for name, g := range map[string]Guard{
		"operator": {Operator: true},
		"stranger": {Ports: []uint16{server.port}, Allow: []netip.Prefix{loopback}},
	} {
		if status, err := get(t, server.client(t, g), server.url("127.0.0.1")); status != 200 || err != nil {
			t.Errorf("%s: got %d, %v; want 200", name, status, err)
		}
	}
}

func TestANameIsCheckedWhateverItMeant(t *testing.T) {
	server := newNeighbor(t, ok)
	for _, c := range []struct {
		name    string
		answers [][]netip.Addr // 127.0.0.1 is allowed, the others are not
		want    []int          // statuses of requests in turn; 0 is refused
	}{
		{"allowed", [][]netip.Addr{addresses("127.0.0.1")}, []int{200, 200}},
		{"rebound", [][]netip.Addr{addresses("127.0.0.1"), addresses("127.0.0.2")}, []int{200, 0, 0}},
		{"rebound to metadata", [][]netip.Addr{addresses("127.0.0.1"), addresses("169.254.169.254")}, []int{200, 0}},
		{"IPv6 only", [][]netip.Addr{addresses("::1")}, []int{0}},
		{"mapped", [][]netip.Addr{addresses("::ffff:127.0.0.2")}, []int{0}},
		{"both kinds", [][]netip.Addr{addresses("127.0.0.2", "::1")}, []int{0}},
		{"mixed", [][]netip.Addr{addresses("127.0.0.2", "10.0.0.1", "127.0.0.1", "fd00:ec2::254")}, []int{200}},
		{"mixed and none allowed", [][]netip.Addr{addresses("127.0.0.2", "10.0.0.1", "::1")}, []int{0}},
	} {
		client := server.client(t, Guard{
			Ports: []uint16{server.port}, Allow: []netip.Prefix{loopback}, Resolver: newNames(c.answers...).resolver(),
		})
		for i, want := range c.want {
			client.CloseIdleConnections()
			status, err := get(t, client, server.url("innocent.example."))
			if status != want || errors.Is(err, ErrAddressRefused) != (want == 0) {
				t.Errorf("%s, request %d: got %d, %v; want %d", c.name, i+1, status, err, want)
			}
		}
	}
}

func TestStrangersDoNotLearnWhatANameMeansHere(t *testing.T) {
	dial := func(g Guard, address string) string {
		g.Resolver = newNames(addresses(address)).resolver()
		c, err := g.Transport().DialContext(t.Context(), "tcp", "name.example.:443")
		if err == nil {
			c.Close()
			t.Fatalf("%s: connected", address)
		}
		return err.Error()
	}
	for _, address := range []string{"127.0.0.1", "10.20.30.40", "169.254.169.254", "fd12:3456::1"} {
		if got := dial(Guard{}, address); got != "address not allowed" {
			t.Errorf("%s: got %q, want %q", address, got, "address not allowed")
		}
	}
	if got := dial(Guard{Operator: true}, "169.254.169.254"); !strings.Contains(got, "169.254.169.254:443: address not allowed") {
		t.Errorf("got %q, want the operator to be told the address", got)
	}
}

func TestARedirectIsAnAnswer(t *testing.T) {
	var asked atomic.Int64
	server := newNeighbor(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		http.Redirect(w, r, r.URL.Query().Get("to"), http.StatusFound)
	})
	client := server.client(t, Guard{Ports: []uint16{server.port}, Allow: []netip.Prefix{loopback}})
	for _, to := range []string{"http://169.254.169.254/latest/meta-data/", "https://127.0.0.2/", "/again"} {
		status, err := get(t, client, server.url("127.0.0.1")+"?to="+to)
		if status != http.StatusFound || err != nil {
			t.Errorf("%s: got %d, %v; want the redirect itself", to, status, err)
		}
	}
	if got := asked.Load(); got != 3 {
		t.Errorf("got %d requests, want 3", got)
	}
}

func TestAClientRefusesURLsThatNobodyChecked(t *testing.T) {
	server := newNeighbor(t, ok)
	client := server.client(t, Guard{Ports: []uint16{server.port}, Allow: []netip.Prefix{loopback}})
	for _, url := range []string{
		strings.Replace(server.url("127.0.0.1"), "https", "http", 1),
		strings.Replace(server.url("127.0.0.1"), "//", "//me:hunter2@", 1),
		"https://127.0.0.1:1/",
	} {
		if _, err := get(t, client, url); !errors.Is(err, ErrURL) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: got %v, want ErrURL", url, err)
		}
	}
	body := &closing{Reader: strings.NewReader("x")}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1/", body)
	if err != nil {
		t.Fatal(err)
	}
	if resp, err := client.Do(req); !errors.Is(err, ErrURL) || !body.closed {
		if err == nil {
			resp.Body.Close()
		}
		t.Errorf("got %v, body closed %t; want ErrURL and true", err, body.closed)
	}
	if n := server.connections.Load(); n != 0 {
		t.Errorf("got %d connections, want none", n)
	}
}

// closing notes that it was closed.
type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

func TestNoTransportTakesAProxyOrOldTLS(t *testing.T) {
	t.Setenv("HTTPS_PROXY", "http://proxy.invalid:1")
	for _, g := range []Guard{{}, {Operator: true}} {
		tr := g.Transport()
		if tr.Proxy != nil {
			t.Errorf("%+v: a proxy is used", g)
		}
		if got := tr.TLSClientConfig; got.MinVersion != tls.VersionTLS12 || got.InsecureSkipVerify {
			t.Errorf("%+v: got TLS from %s on, verification off: %t", g, tls.VersionName(got.MinVersion), got.InsecureSkipVerify)
		}
	}
}

func TestATransportWaitsForNobodyForLong(t *testing.T) {
	quiet, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer quiet.Close()
	tr := Guard{Operator: true}.Transport()
	defer tr.CloseIdleConnections()
	if tr.TLSHandshakeTimeout != 5*time.Second {
		t.Errorf("got %s for TLS, want 5s", tr.TLSHandshakeTimeout)
	}
	tr.TLSHandshakeTimeout = 10 * time.Millisecond
	_, err = get(t, &http.Client{Transport: tr}, "https://"+quiet.Addr().String())
	var timeout net.Error
	if !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("got %v, want a time-out", err)
	}
}
