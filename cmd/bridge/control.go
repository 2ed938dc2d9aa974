package main

import (
	"errors"
	"log/slog"
	"strings"

	"aldeabridge/internal/control"
	"aldeabridge/internal/egress"
)

// controlNames is what users call the fields of control.Config.
var controlNames = strings.NewReplacer(
	"control: bad configuration: ", "", "AccountSID", "TWILIO_ACCOUNT_SID", "AuthToken", "TWILIO_AUTH_TOKEN", "KeySID", "TWILIO_API_KEY",
	"KeySecret", "TWILIO_API_SECRET", "BaseURL", "TWILIO_API_URL",
)

// twilio returns what steers calls through the carrier's REST API, or nil where the account or its secret is not known.
func (o *options) twilio(logger *slog.Logger) (*control.Twilio, error) {
	c := control.Config{
		AccountSID: o.TwilioAccountSID, BaseURL: o.TwilioAPIURL, KeySID: o.TwilioAPIKey, KeySecret: control.Secret(o.secrets.twilioKey),
		Transport: egress.Guard{Operator: true}.Transport(), Logger: logger,
	}
	if len(o.secrets.twilio) > 0 && c.KeySID == "" {
		c.AuthToken = control.Secret(o.secrets.twilio[0])
	}
	if c.AccountSID == "" && (c.KeySID != "" || c.KeySecret != "") {
		return nil, errors.New("TWILIO_ACCOUNT_SID: needed with TWILIO_API_KEY: it says whose calls they are")
	}
	if c.AccountSID == "" || c.AuthToken == "" && c.KeySID == "" && c.KeySecret == "" {
		return nil, nil
	}
	t, err := control.New(c)
	if err != nil {
		return nil, errors.New(controlNames.Replace(err.Error()))
	}
	return t, nil
}
