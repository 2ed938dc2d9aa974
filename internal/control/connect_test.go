package control_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/internal/control"
)

// dialing is a transport that fails to connect with err, n times.
func dialing(n int, err error) func(*control.Config) {
	return func(c *control.Config) {
		good := c.Transport.(*http.Transport)
		c.Transport = &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if n--; n >= 0 {
				return nil, err
			}
			return good.DialContext(ctx, network, address)
		}}
	}
}

// Any request that was never sent may be retried. Errors have no internal addresses.
func TestWhatNeverWentOutIsAskedForAgain(t *testing.T) {
	at := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 443}
	for _, tt := range []struct {
		err  error
		want string
	}{
		{&net.OpError{Op: "dial", Net: "tcp", Addr: at, Err: syscall.ECONNREFUSED}, "no connection to Twilio's host"},
		{&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "api.twilio.com", Server: "10.1.2.3:53"}}, "the name of Twilio's host cannot be resolved"},
		{&tls.CertificateVerificationError{Err: x509.UnknownAuthorityError{}}, "Twilio's host has a certificate that is not trusted"},
		{fmt.Errorf("guard: 10.1.2.3 is not allowed"), "no connection to Twilio's host"},
	} {
		for _, a := range all {
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, dialing(3, tt.err))
				defer r.close(t)
				if err := a.do(t.Context(), r.Twilio); err != nil || r.done() != 1 {
					t.Errorf("%s, failing 3 times: got %v and %d updates, want it done once", a.name, err, r.done())
				}
			})
			synctest.Test(t, func(t *testing.T) {
				r := newRig(t, dialing(9, tt.err))
				defer r.close(t)
				err := a.do(t.Context(), r.Twilio)
				wantFailure(t, err, a.name+": "+tt.want+"; tried 4 times")
				if !errors.Is(err, tt.err) || strings.Contains(err.Error()+r.log.String(), "10.1.2.3") {
					t.Errorf("got %v, want the cause wrapped and not shown", err)
				}
			})
		}
	}
}

func TestAContextEndsIt(t *testing.T) {
	for _, a := range all {
		synctest.Test(t, func(t *testing.T) {
			r := newRig(t, dialing(9, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}))
			defer r.close(t)
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel) // within the third wait
			began := time.Now()
			err := a.do(ctx, r.Twilio)
			if took := time.Since(began); took != time.Second {
				t.Errorf("took %v, want 1s", took)
			}
			wantFailure(t, err, a.name+": no connection to Twilio's host; tried 3 times")
			err = a.do(ctx, r.Twilio)
			wantFailure(t, err, a.name+": given up before Twilio answered")
		})
	}
}
