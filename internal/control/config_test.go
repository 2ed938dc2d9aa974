package control_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"aldeabridge/internal/control"
)

func TestWhatCannotBeUsedIsToldWhy(t *testing.T) {
	const noBase = "BaseURL must be http:// or https:// and a host, without a user and a query"
	for _, tt := range []struct {
		edit func(*control.Config)
		want string // empty if it can be used
	}{
		{func(*control.Config) {}, ""},
		{func(c *control.Config) { c.AccountSID = "" }, "AccountSID must be AC and letters and digits"},
		{func(c *control.Config) { c.AccountSID = keySID }, "AccountSID must be AC and letters and digits"},
		{func(c *control.Config) { c.AccountSID = "AC/../1" }, "AccountSID must be AC and letters and digits"},
		{func(c *control.Config) {
			c.AccountSID, c.BaseURL = "7b1c-project", "https://space.signalwire.com/api/laml"
		}, ""},
		{func(c *control.Config) { c.AccountSID, c.BaseURL = "7b1c-project", "https://api.dublin.ie1.twilio.com" }, "AccountSID must be AC and letters and digits"},
		{func(c *control.Config) { c.AuthToken = "" }, "AuthToken, or KeySID and KeySecret, must be set"},
		{func(c *control.Config) { c.AuthToken = token + "\n" }, "a secret has white space or control characters in it"},
		{func(c *control.Config) { c.AuthToken, c.KeySID, c.KeySecret = "", keySID, key }, ""},
		{func(c *control.Config) { c.KeySID = keySID }, "KeySID and KeySecret go together"},
		{func(c *control.Config) { c.KeySecret = key }, "KeySID and KeySecret go together"},
		{func(c *control.Config) { c.KeySID, c.KeySecret = "SK:1", key }, "KeySID must be SK and letters and digits"},
		{func(c *control.Config) { c.Timeout = -1 }, "Timeout is negative"},
		{func(c *control.Config) { c.BaseURL = "api.twilio.com" }, noBase},
		{func(c *control.Config) { c.BaseURL = "ftp://api.twilio.com" }, noBase},
		{func(c *control.Config) { c.BaseURL = "https://:443" }, noBase},
		{func(c *control.Config) { c.BaseURL = "https://u:" + key + "@api.twilio.com" }, noBase},
		{func(c *control.Config) { c.BaseURL = "https://api.twilio.com/?x=" + key }, noBase},
		{func(c *control.Config) { c.BaseURL = "https://%zz" + key }, noBase},
	} {
		c := control.Config{AccountSID: account, AuthToken: token}
		tt.edit(&c)
		twilio, err := control.New(c)
		if tt.want == "" {
			if err != nil {
				t.Errorf("got %v, want no error", err)
				continue
			}
			twilio.Close()
			continue
		}
		if !errors.Is(err, control.ErrConfig) || err.Error() != control.ErrConfig.Error()+": "+tt.want {
			t.Errorf("got %v, want %s", err, tt.want)
		}
	}
}

func TestSecretsShowThemselvesToNobody(t *testing.T) {
	c := control.Config{AccountSID: account, AuthToken: token, KeySID: keySID, KeySecret: key}
	twilio, err := control.New(c)
	if err != nil {
		t.Fatal(err)
	}
	defer twilio.Close()
	var shown strings.Builder
	for _, v := range []any{c, &c, twilio} {
		fmt.Fprintf(&shown, "%v %+v %#v %s\n", v, v, v, v)
	}
	fmt.Fprintf(&shown, "%d %x %q", c.AuthToken, c.AuthToken, c.KeySecret)
	slog.New(slog.NewJSONHandler(&shown, nil)).Info("x", "secret", c.AuthToken)
	b, err := json.Marshal(map[string]control.Secret{"secret": c.KeySecret})
	if err != nil {
		t.Fatal(err)
	}
	shown.Write(b)
	for _, secret := range secrets[:2] {
		if strings.Contains(shown.String(), secret) || strings.Contains(shown.String(), fmt.Sprintf("%x", secret)) {
			t.Errorf("a secret is shown: %s", &shown)
		}
	}
	if !strings.Contains(shown.String(), "REDACTED") {
		t.Errorf("got %s, want REDACTED", &shown)
	}
}
