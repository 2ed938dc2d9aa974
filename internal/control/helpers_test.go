package control_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"aldeabridge/internal/control"
	"aldeabridge/internal/control/controltest"
)

const (
	account = "AC00000000000000000000000000000001"
	token   = "70ken-of-the-account"
	keySID  = "SK00000000000000000000000000000002"
	key     = "5ecret-of-the-key"
	callSID = "CA00000000000000000000000000000003"
)

// secrets must not occur in errors and logs: the credentials, as they are and encoded for Basic authentication.
var secrets = []string{token, key, "QUMwMDAw", "U0swMDAw"}

// A rig is a client with an in-memory Twilio.
type rig struct {
	*control.Twilio
	srv *controltest.Server
	log *bytes.Buffer
}

func newRig(t *testing.T, edit func(*control.Config)) rig {
	t.Helper()
	srv := controltest.NewInMemory(controltest.Account{SID: account, AuthToken: token, Keys: map[string]string{keySID: key}})
	srv.AddCall(account, callSID)
	r := rig{srv: srv, log: &bytes.Buffer{}}
	c := control.Config{
		AccountSID: account, AuthToken: token, BaseURL: srv.URL, Transport: srv.Transport(),
		Logger: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	if edit != nil {
		edit(&c)
	}
	twilio, err := control.New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Twilio = twilio
	return r
}

// close stops client and server, and checks that the log has no secrets.
func (r rig) close(t *testing.T) {
	t.Helper()
	r.Close()
	r.srv.Close()
	for _, secret := range secrets {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("a secret is in the log: %s", r.log)
		}
	}
}

// done returns how often the call was updated.
func (r rig) done() int {
	c, _ := r.srv.Call(callSID)
	return len(c.Updates)
}

// An action is a method of the client.
type action struct {
	name string // its name in errors
	do   func(context.Context, *control.Twilio) error
	// twice means that the action is retried after a lost response.
	twice bool
}

var all = []action{
	{"hang up", func(ctx context.Context, c *control.Twilio) error { return c.Hangup(ctx, callSID) }, true},
	{"redirect", func(ctx context.Context, c *control.Twilio) error {
		return c.Redirect(ctx, callSID, "https://example.com/next?a=1&b=2")
	}, false},
	{"twiml", func(ctx context.Context, c *control.Twilio) error {
		return c.Twiml(ctx, callSID, "<Response><Hangup/></Response>")
	}, false},
	{"transfer", func(ctx context.Context, c *control.Twilio) error {
		return c.Transfer(ctx, callSID, "+15550100001", "+15550100002")
	}, false},
	{"transfer", func(ctx context.Context, c *control.Twilio) error {
		return c.Transfer(ctx, callSID, "sip:desk@pbx.example.com", "")
	}, false},
	{"transfer", func(ctx context.Context, c *control.Twilio) error {
		return c.Transfer(ctx, callSID, "client:anna", "client:bot")
	}, false},
}

// wantFailure checks an error's whole text, its type, and that no secret is in it.
func wantFailure(t *testing.T, err error, want string) {
	t.Helper()
	var failed *control.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want an *Error", err)
	}
	if got := err.Error(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, secret := range secrets {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("a secret is in the error: %v", err)
		}
	}
}
