package webhooks

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"aldeabridge/internal/egress"
)

func TestAnUntrustedURLDoesNotReachPrivateAddresses(t *testing.T) {
	ours := newAuthority(t, "ours")
	srv := serve(t, &tls.Config{Certificates: []tls.Certificate{ours.sign(t, "inside.example", time.Now().Add(time.Hour), x509.ExtKeyUsageServerAuth)}})
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	byName := strings.Replace(srv.URL, "127.0.0.1", "inside.example.", 1)
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	for _, c := range []struct {
		name, url string
		guard     egress.Guard
		delivered bool
	}{
		{"allowed", srv.URL, egress.Guard{Allow: loopback, Ports: []uint16{at.Port()}}, true},
		{"allowed by name", byName, egress.Guard{Allow: loopback, Ports: []uint16{at.Port()}}, true},
		{"not allowed", srv.URL, egress.Guard{Ports: []uint16{at.Port()}}, false},
		{"not allowed by name", byName, egress.Guard{Ports: []uint16{at.Port()}}, false},
		{"not the operator's, whatever the guard says", srv.URL, egress.Guard{Operator: true, Ports: []uint16{at.Port()}}, false},
		{"our own", srv.URL, egress.Guard{Allow: loopback, Ports: []uint16{at.Port()}, Own: []netip.AddrPort{at}}, false},
		{"metadata", "https://169.254.169.254/t0ken", egress.Guard{Allow: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}}, false},
	} {
		e := Endpoint{URL: c.url, RootCAs: ours.pool(), Untrusted: true}
		a, log := attempted(t, Config{Untrusted: c.guard, Resolver: fakeDNS([4]byte{127, 0, 0, 1})}, e)
		if c.delivered {
			if a.State != StateDelivered {
				t.Errorf("%s: got %+v, want it delivered", c.name, a)
			}
			continue
		}
		if a.State != ReasonAddressRefused.State() || a.Class != ClassAddressRefused || a.Status != 0 || a.Remote != "" {
			t.Errorf("%s: got %+v, want the address refused", c.name, a)
		}
		if a.Err == nil || a.Err.Error() != "address not allowed" || strings.Contains(log, "127.0.0.1") {
			t.Errorf("%s: got error %v, want nothing but that the address is not allowed; log %s", c.name, a.Err, log)
		}
	}
}

func TestARefusedAddressIsADeadLetterAndOpensTheBreaker(t *testing.T) {
	journal := newFakeJournal()
	attempts := make(chan Attempt, 100)
	d, err := New(Config{
		Journal: journal, Observe: func(a Attempt) { attempts <- a },
		Endpoints: []Endpoint{{Name: "main", URL: "https://127.0.0.1", Secrets: []Secret{testSecret}, Untrusted: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, d)
	defer stop()
	journal.append("A", started)
	if err := d.Drain(guard(t)); err != nil {
		t.Fatal(err)
	}
	if got := journal.state("main", 1); got != ReasonAddressRefused.State() {
		t.Errorf("got state %q", got)
	}
	if got := d.Status()[0].State; got != EndpointFailing {
		t.Errorf("got %s, want failing", got)
	}
	if got := len(attempts); got != 1 {
		t.Errorf("got %d attempts, want one", got)
	}
}

func TestAnInvalidUntrustedURLIsRefusedAtOnce(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"http://example.com/t0ken", "endpoint main: bad URL: it must begin with https://"},
		{"https://me:hunter2@example.com/t0ken", "endpoint main: bad URL: it must not have a user or a password"},
		{"https://example.com:22/t0ken", "endpoint main: bad URL: port 22 is not allowed"},
	} {
		e := Endpoint{Name: "main", URL: c.url, Secrets: []Secret{testSecret}, Untrusted: true}
		_, err := New(Config{Journal: newFakeJournal(), Endpoints: []Endpoint{e}})
		if !errors.Is(err, egress.ErrURL) || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: got %v, want %q", c.url, err, c.want)
		}
	}
	e := Endpoint{Name: "main", URL: "https://example.com", Secrets: []Secret{testSecret}, Untrusted: true, Proxy: http.ProxyFromEnvironment}
	if _, err := New(Config{Journal: newFakeJournal(), Endpoints: []Endpoint{e}}); err == nil || !strings.Contains(err.Error(), "proxy") {
		t.Errorf("got %v for an untrusted URL behind a proxy", err)
	}
}
