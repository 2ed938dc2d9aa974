package control

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode"
)

const (
	defaultBase    = "https://api.twilio.com"
	defaultTimeout = 5 * time.Second
)

// Config is what New needs. AccountSID is required, and either AuthToken or an API key.
type Config struct {
	AccountSID string // "AC…", whose calls they are
	AuthToken  string // of the account

	KeySID    string // "SK…", an API key of the account, instead of AuthToken
	KeySecret string

	// BaseURL is where the REST API is, without a path. It defaults to https://api.twilio.com.
	BaseURL string
	// Transport sends the requests. Nil means one of its own, without limits on where it connects.
	Transport http.RoundTripper
	// Timeout bounds one attempt. It defaults to 5 seconds. All attempts together are bounded by the context.
	Timeout time.Duration
	// Logger is told of attempts that failed and are repeated. Nil means nobody is.
	Logger *slog.Logger
}

// ErrConfig means that a Config cannot be used. The error's text says why and never holds a secret.
var ErrConfig = errors.New("control: bad configuration")

// sid is what can be a part of a path as it is.
var sid = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c Config) check() error {
	switch {
	case !strings.HasPrefix(c.AccountSID, "AC") || !sid.MatchString(c.AccountSID):
		return fmt.Errorf("%w: AccountSID must be AC and letters and digits", ErrConfig)
	case c.KeySID != "" && (!strings.HasPrefix(c.KeySID, "SK") || !sid.MatchString(c.KeySID)):
		return fmt.Errorf("%w: KeySID must be SK and letters and digits", ErrConfig)
	case (c.KeySID == "") != (c.KeySecret == ""):
		return fmt.Errorf("%w: KeySID and KeySecret go together", ErrConfig)
	case c.KeySID == "" && c.AuthToken == "":
		return fmt.Errorf("%w: AuthToken, or KeySID and KeySecret, must be set", ErrConfig)
	case strings.ContainsFunc(c.AuthToken+c.KeySecret, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return fmt.Errorf("%w: a secret has white space or control characters in it", ErrConfig)
	case c.Timeout < 0:
		return fmt.Errorf("%w: Timeout is negative", ErrConfig)
	}
	u, err := url.Parse(c.BaseURL)
	if c.BaseURL != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "") {
		return fmt.Errorf("%w: BaseURL must be http:// or https:// and a host, without a path, a user and a query", ErrConfig)
	}
	return nil
}

// user and password are those of the Basic authentication.
func (c Config) user() string {
	if c.KeySID != "" {
		return c.KeySID
	}
	return c.AccountSID
}

func (c Config) password() string {
	if c.KeySID != "" {
		return c.KeySecret
	}
	return c.AuthToken
}
