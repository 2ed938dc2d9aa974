package conformance

import (
	"context"
	"net"
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/aldea/sandbox"
	"aldeabridge/test/faultnet"
)

// A Target is a service to run the tests against: Sandbox or Service.
type Target struct {
	service bool
	config  aldea.Config
	audio   []byte
}

// Sandbox is the stand-in, in memory and in simulated time.
func Sandbox() Target { return Target{} }

// Service is a real service. The configuration says where it is and how it is asked; Dial, Buffer, ReplaySpeed and
// Endpointing are the tests' own. speech is speech with pauses: µ-law, 8000 Hz; it is repeated as often as needed.
func Service(config aldea.Config, speech []byte) Target {
	return Target{service: true, config: config, audio: speech}
}

// Run runs the tests as subtests of t. Against the sandbox that takes seconds, against a service about five minutes.
func Run(t *testing.T, target Target) {
	for _, c := range cases {
		if target.service && c.sandboxOnly {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			if !target.service {
				synctest.Test(t, func(t *testing.T) { c.test(newBench(t, target, c.options)) })
				return
			}
			c.test(newBench(t, target, sandbox.Options{}))
		})
	}
}

// A case is one test of the list.
type testCase struct {
	name        string
	sandboxOnly bool
	options     sandbox.Options // how the sandbox behaves
	test        func(b *bench)
}

// A bench is the service, and the network in front of it.
type bench struct {
	*testing.T
	target  Target
	server  *sandbox.Server // nil with a real service
	network faultnet.Network
	config  aldea.Config
	line    line
}

// newBench sets one up. It is taken down at the end of the test.
func newBench(t *testing.T, target Target, o sandbox.Options) *bench {
	b := &bench{T: t, target: target, config: target.config}
	if target.service {
		b.relay()
	} else {
		l := faultnet.Listen()
		if o.Source == nil {
			o.Source = sandbox.Marker()
		}
		o.Listener = l
		b.server, b.network = sandbox.New(o), l
		b.config.URL, b.config.Key = b.server.URL, "org_conformance"
		t.Cleanup(func() { _ = b.server.Close() })
	}
	b.line = line{network: b.network, began: time.Now()}
	b.config.Dial = b.line.dial
	b.config.Endpointing = "300"
	b.config.ReplaySpeed = 2
	return b
}

// relay stands between us and a real service.
func (b *bench) relay() {
	u, err := url.Parse(b.config.URL)
	if err != nil {
		b.Fatal(err)
	}
	host := u.Host
	if u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), map[bool]string{true: "443", false: "80"}[u.Scheme == "wss" || u.Scheme == "https"])
	}
	var d net.Dialer
	r, err := faultnet.NewRelay(func(ctx context.Context) (net.Conn, error) { return d.DialContext(ctx, "tcp", host) })
	if err != nil {
		b.Fatal(err)
	}
	b.network = r
	b.Cleanup(func() { _ = r.Close() })
}

// client returns a client of the service. change, if not nil, is applied to its settings last.
func (b *bench) client(change func(*aldea.Config)) *aldea.Client {
	b.Helper()
	config := b.config
	if change != nil {
		change(&config)
	}
	c, err := aldea.NewClient(config)
	if err != nil {
		b.Fatal(err)
	}
	return c
}
