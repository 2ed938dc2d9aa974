package webhooks

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aldeabridge/webhooks/webhooktest"
)

// A proxy connects all clients to one server, whatever host they ask for.
type proxy struct {
	to string

	mu     sync.Mutex
	asked  []string
	refuse int // the status it answers instead
}

// ServeHTTP tunnels CONNECT requests, and forwards requests with an absolute URL.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
	p.mu.Lock()
	p.asked = append(p.asked, r.Method+" "+r.Host+" "+user+":"+password)
	refuse := p.refuse
	p.mu.Unlock()
	if refuse != 0 {
		http.Error(w, "no", refuse)
		return
	}
	if r.Method != http.MethodConnect {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	ours, err := net.Dial("tcp", p.to)
	if err != nil {
		http.Error(w, "nobody there", http.StatusBadGateway)
		return
	}
	theirs, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		ours.Close()
		return
	}
	_, _ = io.WriteString(theirs, "HTTP/1.1 200 Connection established\r\n\r\n")
	splice(ours, theirs)
}

// splice copies both ways until both are over, and closes both.
func splice(a, b net.Conn) {
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{a, b}, {b, a}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			way[0].Close()
			way[1].Close()
		})
	}
	both.Wait()
}

// socks is a proxy that speaks SOCKS 5 (RFC 1928) with user and password (RFC 1929), for one connection.
func socks(c net.Conn, to string) (asked string) {
	defer c.Close()
	in := bufio.NewReader(c)
	read := func(n int) []byte {
		b := make([]byte, n)
		_, _ = io.ReadFull(in, b)
		return b
	}
	read(int(read(2)[1])) // methods
	_, _ = c.Write([]byte{5, 2})
	user := string(read(int(read(2)[1])))
	password := string(read(int(read(1)[0])))
	_, _ = c.Write([]byte{1, 0})
	head := read(4)
	if head[3] != 3 {
		return "not a name"
	}
	host := string(read(int(read(1)[0])))
	read(2)
	server, err := net.Dial("tcp", to)
	if err != nil {
		return err.Error()
	}
	_, _ = c.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	splice(server, buffered{c, in})
	return "SOCKS " + host + " " + user + ":" + password
}

// buffered is a connection with bytes already read from it.
type buffered struct {
	net.Conn
	in *bufio.Reader
}

func (b buffered) Read(p []byte) (int, error) { return b.in.Read(p) }

// through is an Endpoint.Proxy that always chooses u.
func through(t *testing.T, u string) func(*http.Request) (*url.URL, error) {
	t.Helper()
	parsed, err := url.Parse(u)
	if err != nil {
		t.Fatal(err)
	}
	parsed.User = url.UserPassword("me", "hunter2")
	return http.ProxyURL(parsed)
}

// wantNoLeak checks that neither the error nor the log of an attempt shows anything secret.
func wantNoLeak(t *testing.T, a Attempt, log string) {
	t.Helper()
	if a.Err != nil {
		log += a.Err.Error()
	}
	for _, leak := range []string{"hunter2", "aHVudGVyMg", "t0ken", "whsec", "YnJpZGdl", "bWU6aHVud"} {
		if strings.Contains(log, leak) {
			t.Errorf("got error %v and log %s, with %q", a.Err, log, leak)
		}
	}
}

func TestAnEndpointIsReachedThroughItsProxy(t *testing.T) {
	ours := newAuthority(t, "ours")
	certificate := ours.sign(t, "endpoint.test", time.Now().Add(time.Hour), x509.ExtKeyUsageServerAuth)
	srv := serve(t, &tls.Config{Certificates: []tls.Certificate{certificate}})
	to := srv.Listener.Addr().String()
	for _, c := range []struct {
		name, url string
		secure    bool // the proxy itself
		want      string
	}{
		{"http", "https://endpoint.test/t0ken", false, "CONNECT endpoint.test:443 me:hunter2"},
		{"https", "https://endpoint.test/t0ken", true, "CONNECT endpoint.test:443 me:hunter2"},
		{"http, unencrypted", "http://endpoint.test/t0ken", false, "POST endpoint.test me:hunter2"},
	} {
		p := &proxy{to: to}
		middle := httptest.NewUnstartedServer(p)
		if middle.Config.ErrorLog = nullLog(); c.secure {
			middle.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
			middle.StartTLS()
		} else {
			middle.Start()
		}
		a, log := attempted(t, Config{Resolver: noDNS()}, Endpoint{URL: c.url, RootCAs: ours.pool(), Proxy: through(t, middle.URL)})
		middle.Close()
		if a.State != StateDelivered || a.Remote != middle.Listener.Addr().String() || !slices.Equal(p.asked, []string{c.want}) {
			t.Errorf("%s: got %+v and %v asked of the proxy, want it delivered by %s", c.name, a, p.asked, c.want)
		}
		wantNoLeak(t, a, log)
	}
}

func TestAnEndpointIsReachedThroughSOCKS(t *testing.T) {
	ours := newAuthority(t, "ours")
	srv := serve(t, &tls.Config{Certificates: []tls.Certificate{ours.sign(t, "endpoint.test", time.Now().Add(time.Hour), x509.ExtKeyUsageServerAuth)}})
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan string, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			asked <- err.Error()
			return
		}
		asked <- socks(c, srv.Listener.Addr().String())
	}()
	a, log := attempted(t, Config{Resolver: noDNS()}, Endpoint{
		URL: "https://endpoint.test/t0ken", RootCAs: ours.pool(), Proxy: through(t, "socks5://"+l.Addr().String()),
	})
	l.Close()
	if got, want := <-asked, "SOCKS endpoint.test me:hunter2"; a.State != StateDelivered || got != want {
		t.Errorf("got %+v and %q asked of the proxy, want it delivered by %q", a, got, want)
	}
	wantNoLeak(t, a, log)
}

func TestProxyFailuresAreReportedWithoutQuotingTheProxy(t *testing.T) {
	nobody := httptest.NewServer(http.NotFoundHandler())
	nobody.Close()
	for _, c := range []struct {
		name, want string
		status     int // of the proxy
		choose     func(*http.Request) (*url.URL, error)
		class      Class
	}{
		{"wants a password", "the proxy answered 407 Proxy Authentication Required", 407, nil, ClassOther},
		{"is forbidden to", "the proxy answered 403 Forbidden", 403, nil, ClassOther},
		{"cannot", "the proxy answered 502 Bad Gateway", 502, nil, ClassOther},
		{"is not there", "no connection to the proxy: connection refused", 0, through(t, nobody.URL), ClassRefused},
		{"cannot be read", "proxy's URL cannot be used", 0, func(*http.Request) (*url.URL, error) {
			return nil, errors.New("invalid proxy address \"http://me:hunter2@\"")
		}, ClassOther},
	} {
		p := &proxy{refuse: c.status}
		middle := httptest.NewServer(p)
		if c.choose == nil {
			c.choose = through(t, middle.URL)
		}
		a, log := attempted(t, Config{}, Endpoint{URL: "https://endpoint.test/t0ken", Proxy: c.choose})
		middle.Close()
		if a.Err == nil || !strings.Contains(a.Err.Error(), c.want) || a.Class != c.class || a.State != "" {
			t.Errorf("a proxy that %s: got class %q, error %v; want %q, %q", c.name, a.Class, a.Err, c.class, c.want)
		}
		wantNoLeak(t, a, log)
	}
}

func TestAProxyThatIsAMetadataServiceIsNotAsked(t *testing.T) {
	a, log := attempted(t, Config{}, Endpoint{URL: "https://endpoint.test/t0ken", Proxy: through(t, "http://169.254.169.254:3128")})
	if a.Class != ClassAddressRefused {
		t.Errorf("got class %q, error %v; want the address refused", a.Class, a.Err)
	}
	wantNoLeak(t, a, log)
}

func TestNoProxyIsTakenFromTheEnvironmentUnlessAskedFor(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.invalid:1")
	t.Setenv("http_proxy", "http://proxy.invalid:1")
	srv := httptest.NewServer(webhooktest.NewEndpoint(testSecret))
	defer srv.Close()
	if a, _ := attempted(t, Config{}, Endpoint{URL: srv.URL}); a.State != StateDelivered {
		t.Errorf("got %+v, want it delivered without the proxy", a)
	}
	if tr := newTransport(Config{}, Endpoint{}); tr.Proxy != nil {
		t.Error("a proxy is used without being asked for")
	}
	if tr := newTransport(Config{}, Endpoint{Proxy: http.ProxyFromEnvironment}); tr.Proxy == nil {
		t.Error("the proxy that was asked for is not used")
	}
}
