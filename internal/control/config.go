package control

import (
	"cmp"
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

// Config configures a Twilio. AccountSID is required, and either AuthToken or an API key.
type Config struct {
	AccountSID string // "AC…", the account of the calls
	AuthToken  Secret // of the account

	KeySID    string // "SK…", an API key of the account, instead of AuthToken
	KeySecret Secret

	// BaseURL is the prefix of the REST API's paths ("/2010-04-01/…"): another region of Twilio's, or a service with the same
	// API, whose account ids need not begin with AC. It defaults to https://api.twilio.com. The secret is sent there.
	BaseURL string
	// Transport sends the requests. Nil means a new one, without a proxy and without restrictions on its destinations.
	Transport http.RoundTripper
	// Timeout bounds one attempt. It defaults to 5 seconds. All attempts together are bounded by the context.
	Timeout time.Duration
	// Logger logs failed attempts that are retried. Nil discards the log.
	Logger *slog.Logger
}

// ErrConfig means that a Config cannot be used. The error's text says why and never holds a secret.
var ErrConfig = errors.New("control: bad configuration")

// sid matches ids that need no escaping in a path.
var sid = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (c Config) check() error {
	switch {
	case !sid.MatchString(c.AccountSID):
		return fmt.Errorf("%w: AccountSID must be AC and letters and digits", ErrConfig)
	case c.KeySID != "" && !sid.MatchString(c.KeySID):
		return fmt.Errorf("%w: KeySID must be SK and letters and digits", ErrConfig)
	case (c.KeySID == "") != (c.KeySecret == ""):
		return fmt.Errorf("%w: KeySID and KeySecret go together", ErrConfig)
	case c.KeySID == "" && c.AuthToken == "":
		return fmt.Errorf("%w: AuthToken, or KeySID and KeySecret, must be set", ErrConfig)
	case strings.ContainsFunc(string(c.AuthToken+c.KeySecret), func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return fmt.Errorf("%w: a secret has white space or control characters in it", ErrConfig)
	case c.Timeout < 0:
		return fmt.Errorf("%w: Timeout is negative", ErrConfig)
	}
	return nil
}

// base parses BaseURL. Twilio's own account ids begin with AC.
func (c Config) base() (*url.URL, error) {
	u, err := url.Parse(cmp.Or(c.BaseURL, defaultBase))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, fmt.Errorf("%w: BaseURL must be http:// or https:// and a host, without a user and a query", ErrConfig)
	}
	if strings.HasSuffix(u.Hostname(), ".twilio.com") && !strings.HasPrefix(c.AccountSID, "AC") {
		return nil, fmt.Errorf("%w: AccountSID must be AC and letters and digits", ErrConfig)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	return u, nil
}

// credentials returns the user and password of the Basic authentication: those of the API key if it is set.
func (c Config) credentials() (user, password string) {
	if c.KeySID != "" {
		return c.KeySID, string(c.KeySecret)
	}
	return c.AccountSID, string(c.AuthToken)
}
