package webhooks

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"aldeabridge/webhooks/webhooktest"
)

// These tests use real sockets on the loopback interface.

func TestConnectionsAreKeptAndUsedAgain(t *testing.T) {
	endpoint := webhooktest.NewEndpoint(testSecret)
	var connections atomic.Int64
	srv := httptest.NewUnstartedServer(endpoint)
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	defer srv.Close()
	journal := newFakeJournal()
	d, err := New(Config{Journal: journal, Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}}})
	if err != nil {
		t.Fatal(err)
	}
	stop := running(t, d)
	defer stop()
	for round := range 5 {
		for i := range 50 {
			journal.append(fmt.Sprint("call", i), said)
		}
		if err := d.Drain(guard(t)); err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
	}
	if got := endpoint.Report(); got.Err() != nil || got.Delivered != 250 {
		t.Errorf("got %+v, %v", got, got.Err())
	}
	if got := connections.Load(); got > 2*defaultConcurrency {
		t.Errorf("got %d connections for 250 events of 50 calls, want them used again", got)
	}
}

func TestATLSEndpointIsVerified(t *testing.T) {
	endpoint := webhooktest.NewEndpoint(testSecret)
	var http2 atomic.Int64
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor == 2 {
			http2.Add(1)
		}
		endpoint.ServeHTTP(w, r)
	}))
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = nullLog()
	srv.StartTLS()
	defer srv.Close()
	roots := x509.NewCertPool()
	roots.AddCert(srv.Certificate())
	for _, c := range []struct {
		name  string
		roots *x509.CertPool
		class Class
	}{{"known authority", roots, ""}, {"unknown authority", x509.NewCertPool(), ClassTLS}} {
		t.Run(c.name, func(t *testing.T) {
			first := make(chan Attempt, 100)
			journal := newFakeJournal()
			d, err := New(Config{
				Journal: journal, Observe: func(a Attempt) { first <- a },
				Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}, RootCAs: c.roots}},
			})
			if err != nil {
				t.Fatal(err)
			}
			stop := running(t, d)
			defer stop()
			journal.append("A", said)
			select {
			case a := <-first:
				if a.Class != c.class {
					t.Errorf("got class %q, error %v; want %q", a.Class, a.Err, c.class)
				}
			case <-guard(t).Done():
				t.Fatal("no attempt")
			}
		})
	}
	if got := http2.Load(); got != 1 {
		t.Errorf("got %d requests over HTTP/2, want one", got)
	}
}

func TestFailuresOfRealSocketsHaveTheirClass(t *testing.T) {
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	resets := webhooktest.New()
	defer resets.Close()
	resets.Script(func(webhooktest.Request) webhooktest.Answer { return webhooktest.Fail(webhooktest.Reset) })
	down := webhooktest.New()
	defer down.Close()
	down.Down()
	for url, want := range map[string]Class{
		nobody:                  ClassRefused,
		resets.URL:              ClassReset,
		down.URL:                ClassReset,
		"http://nobody.invalid": ClassDNS,
	} {
		attempts := make(chan Attempt, 100)
		journal := newFakeJournal()
		d, err := New(Config{
			Journal: journal, Observe: func(a Attempt) { attempts <- a },
			Resolver:  noDNS(),
			Endpoints: []Endpoint{{Name: "main", URL: url, Secrets: []Secret{testSecret}}},
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := running(t, d)
		journal.append("A", said)
		select {
		case a := <-attempts:
			if a.Class != want {
				t.Errorf("%s: got class %q, error %v; want %q", url, a.Class, a.Err, want)
			}
		case <-guard(t).Done():
			t.Errorf("%s: no attempt", url)
		}
		stop()
	}
}

// BenchmarkAppendToWire measures the time from an append to the request's arrival at the handler, over the
// loopback interface and a kept-alive connection.
func BenchmarkAppendToWire(b *testing.B) {
	arrived := make(chan time.Time, 1)
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived <- time.Now() }))
	defer srv.Close()
	journal := newFakeJournal()
	d, err := New(Config{Journal: journal, Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}}}})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); _ = d.Run(ctx) }()
	var took []time.Duration
	for b.Loop() {
		begin := time.Now()
		journal.append("A", said)
		took = append(took, (<-arrived).Sub(begin))
		if err := d.Drain(ctx); err != nil {
			b.Fatal(err)
		}
	}
	cancel()
	<-done
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds()), "µs-p50")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds()), "µs-p99")
}
