package webhooks

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"log/slog"
	"math/big"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"aldeabridge/webhooks/webhooktest"
)

// An authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// newAuthority makes an authority that no client trusts.
func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a := &authority{key: key}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err == nil {
		a.certificate, err = x509.ParseCertificate(der)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// pool returns a certificate pool that trusts a.
func (a *authority) pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(a.certificate)
	return p
}

// sign makes a certificate for a name and the address 127.0.0.1, or only for the name if that is "nobody".
func (a *authority) sign(t *testing.T, name string, notAfter time.Time, use x509.ExtKeyUsage) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: notAfter.Add(-2 * time.Hour), NotAfter: notAfter, ExtKeyUsage: []x509.ExtKeyUsage{use},
	}
	if name == "nobody" {
		template.IPAddresses = nil
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// serve starts a TLS endpoint with config.
func serve(t *testing.T, config *tls.Config) *httptest.Server {
	t.Helper()
	srv := httptest.NewUnstartedServer(webhooktest.NewEndpoint(testSecret))
	srv.TLS, srv.Config.ErrorLog = config, nullLog()
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// attempted sends one event to an endpoint, without its name and secrets, and returns the first attempt and the log.
func attempted(t *testing.T, c Config, e Endpoint) (Attempt, string) {
	t.Helper()
	var log bytes.Buffer
	attempts := make(chan Attempt, 100)
	journal := newFakeJournal()
	e.Name, e.Secrets = "main", []Secret{testSecret}
	c.Endpoints, c.Journal = []Endpoint{e}, journal
	c.Observe = func(a Attempt) { attempts <- a }
	c.Logger = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, d)
	journal.append("A", started)
	var a Attempt
	select {
	case a = <-attempts:
	case <-guard(t).Done():
		t.Error("no attempt")
	}
	stop()
	return a, log.String()
}

func TestAnEndpointHasItsOwnAuthorityAndCertificate(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Minute)
	good := ours.sign(t, "endpoint.test", soon, x509.ExtKeyUsageServerAuth)
	client := ours.sign(t, "bridge", soon, x509.ExtKeyUsageClientAuth)
	asks := tls.Config{
		Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool(),
		MaxVersion: tls.VersionTLS12, // where a refusal is a part of the handshake
	}
	asks13 := tls.Config{Certificates: []tls.Certificate{good}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ours.pool()}
	only := func(c tls.Certificate) *tls.Config { return &tls.Config{Certificates: []tls.Certificate{c}} }
	for _, c := range []struct {
		name     string
		server   *tls.Config
		endpoint Endpoint
		want     string // part of the error; empty: delivered
	}{
		{"private authority", only(good), Endpoint{RootCAs: ours.pool()}, ""},
		{"authority of the system", only(good), Endpoint{}, "unknown authority"},
		{"another authority", only(good), Endpoint{RootCAs: theirs.pool()}, "unknown authority"},
		{"expired", only(ours.sign(t, "endpoint.test", past, x509.ExtKeyUsageServerAuth)), Endpoint{RootCAs: ours.pool()}, "expired"},
		{"wrong name", only(ours.sign(t, "nobody", soon, x509.ExtKeyUsageServerAuth)), Endpoint{RootCAs: ours.pool()}, "TLS: the certificate is for another host"},
		{"not a server's", only(client), Endpoint{RootCAs: ours.pool()}, "incompatible key usage"},
		{"TLS 1.1", &tls.Config{Certificates: []tls.Certificate{good}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, Endpoint{RootCAs: ours.pool()}, "protocol version"},
		{"TLS 1.2", &tls.Config{Certificates: []tls.Certificate{good}, MaxVersion: tls.VersionTLS12}, Endpoint{RootCAs: ours.pool()}, ""},
		{"client with a certificate", &asks, Endpoint{RootCAs: ours.pool(), Certificates: []tls.Certificate{client}}, ""},
		{"client with a certificate, TLS 1.3", &asks13, Endpoint{RootCAs: ours.pool(), Certificates: []tls.Certificate{client}}, ""},
		{"client without a certificate", &asks, Endpoint{RootCAs: ours.pool()}, "TLS: "},
		{"client with another's", &asks, Endpoint{RootCAs: ours.pool(), Certificates: []tls.Certificate{theirs.sign(t, "bridge", soon, x509.ExtKeyUsageClientAuth)}}, "TLS: "},
		{"client with the second of two", &asks, Endpoint{RootCAs: ours.pool(), Certificates: []tls.Certificate{
			theirs.sign(t, "bridge", soon, x509.ExtKeyUsageClientAuth), client}}, ""},
	} {
		c.endpoint.URL = serve(t, c.server).URL + "/t0ken"
		a, log := attempted(t, Config{}, c.endpoint)
		if c.want == "" {
			if a.State != StateDelivered {
				t.Errorf("%s: got %+v, want it delivered", c.name, a)
			}
			continue
		}
		if a.Class != ClassTLS || a.Err == nil || !strings.Contains(a.Err.Error(), c.want) {
			t.Errorf("%s: got class %q, error %v; want tls and %q", c.name, a.Class, a.Err, c.want)
			continue
		}
		for _, leak := range []string{"t0ken", "whsec", "YnJpZGdl"} {
			if strings.Contains(log+a.Err.Error(), leak) {
				t.Errorf("%s: got error %q and log %s, with %q", c.name, a.Err, log, leak)
			}
		}
	}
}

func TestEndpointsDoNotShareTheirTrust(t *testing.T) {
	ours, theirs := newAuthority(t, "ours"), newAuthority(t, "theirs")
	soon := time.Now().Add(time.Hour)
	a := serve(t, &tls.Config{Certificates: []tls.Certificate{ours.sign(t, "a", soon, x509.ExtKeyUsageServerAuth)}})
	b := serve(t, &tls.Config{Certificates: []tls.Certificate{theirs.sign(t, "b", soon, x509.ExtKeyUsageServerAuth)}})
	journal := newFakeJournal()
	attempts := make(chan Attempt, 100)
	d, err := New(Config{Journal: journal, Observe: func(a Attempt) { attempts <- a }, Endpoints: []Endpoint{
		{Name: "a", URL: a.URL, Secrets: []Secret{testSecret}, RootCAs: ours.pool()},
		{Name: "b", URL: b.URL, Secrets: []Secret{testSecret}, RootCAs: theirs.pool()},
		{Name: "wrong", URL: b.URL, Secrets: []Secret{testSecret}, RootCAs: ours.pool()},
	}})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, d)
	defer stop()
	journal.append("A", started)
	first := map[string]Class{}
	for len(first) < 3 {
		select {
		case a := <-attempts:
			if _, known := first[a.Endpoint]; !known {
				first[a.Endpoint] = a.Class
			}
		case <-guard(t).Done():
			t.Fatalf("got %v, want an attempt at each", first)
		}
	}
	if first["a"] != "" || first["b"] != "" || first["wrong"] != ClassTLS {
		t.Errorf("got %v, want a and b delivered", first)
	}
}
