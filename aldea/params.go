package aldea

import (
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// urls returns the addresses in URL as they are dialled, in order of preference.
func (c *Config) urls() (urls []*url.URL, err error) {
	for _, base := range splitURLs(c.URL) {
		u, err := c.endpoint(base)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(urls, func(other *url.URL) bool { return other.String() == u.String() }) {
			return nil, fieldError("URL", "%s is there twice", u.Host)
		}
		urls = append(urls, u)
	}
	return urls, nil
}

// splitURLs splits at the commas before which a URL ends: a comma may also be part of one.
func splitURLs(list string) (urls []string) {
	for i, piece := range strings.Split(list, ",") {
		if i > 0 && !strings.Contains(piece, "://") {
			urls[len(urls)-1] += "," + piece
			continue
		}
		urls = append(urls, piece)
	}
	for i := range urls {
		urls[i] = strings.TrimSpace(urls[i])
	}
	return urls
}

// endpoint returns the address that is dialled: the base with its scheme, path and query completed.
func (c *Config) endpoint(base string) (*url.URL, error) {
	u, err := url.Parse(base)
	if err != nil {
		// The error of package url quotes the whole address, which may hold a password.
		return nil, fieldError("URL", "is not a URL")
	}
	switch u.Scheme {
	case "ws", "http":
		u.Scheme = "ws"
	case "wss", "https":
		u.Scheme = "wss"
	default:
		return nil, fieldError("URL", "scheme %q is not ws, wss, http or https", u.Scheme)
	}
	if err := validateURL(u); err != nil {
		return nil, err
	}
	if u.Scheme == "ws" && !c.AllowPlaintext && !isLoopback(u.Hostname()) {
		return nil, fieldError("URL", "%s would be reached without encryption (use wss, or set AllowPlaintext)", u.Hostname())
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/v1/listen"
	}
	query := u.Query()
	for name, values := range c.params() {
		if query.Has(name) {
			return nil, fieldError("URL", "query parameter %q has a field of its own", name)
		}
		query[name] = values
	}
	u.RawQuery = query.Encode()
	if n := len(u.RequestURI()); n > maxAddress {
		return nil, fieldError("Keywords", "make the address %d bytes long; servers take %d: use fewer or shorter words", n, maxAddress)
	}
	return u, nil
}

// validateURL refuses what a WebSocket address must not have, and keys in the query: addresses end up in
// the logs of every machine they pass.
func validateURL(u *url.URL) error {
	switch {
	case u.Opaque != "" || u.Hostname() == "":
		return fieldError("URL", "has no host")
	case strings.Contains(u.Host, ","):
		return fieldError("URL", "has a comma that no URL follows")
	case u.User != nil:
		return fieldError("URL", "has a user name (the key belongs in Key)")
	case u.Fragment != "":
		return fieldError("URL", "has a fragment")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return fieldError("URL", "port %q is not between 1 and 65535", port)
		}
	}
	if _, err := url.ParseQuery(u.RawQuery); err != nil {
		return fieldError("URL", "has a malformed query")
	}
	for name := range u.Query() {
		switch strings.ToLower(name) {
		case "token", "key", "api_key", "apikey", "access_token":
			return fieldError("URL", "query parameter %q would put a key into logs (it belongs in Key)", name)
		}
	}
	return nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// params are the query parameters of Aldea's streaming reference. Parameters at their default are not sent:
// whether unknown or redundant parameters are refused is nowhere stated.
func (c *Config) params() url.Values {
	v := url.Values{
		"encoding":        {c.Encoding},
		"sample_rate":     {strconv.Itoa(int(c.SampleRate))},
		"interim_results": {strconv.FormatBool(!c.NoInterims)},
		"language":        {c.Language},
	}
	if c.Endpointing != "" {
		v.Set("endpointing", c.Endpointing)
	}
	if c.UtteranceEnd > 0 {
		v.Set("utterance_end_ms", strconv.FormatInt(int64(c.UtteranceEnd/time.Millisecond), 10))
	}
	if c.VADEvents {
		v.Set("vad_events", "true")
	}
	if len(c.Keywords) > 0 {
		v["keywords"] = c.Keywords
	}
	if len(c.Redact) > 0 {
		v["redact"] = c.Redact
	}
	if c.RedactMode != "" {
		v.Set("redact_mode", c.RedactMode)
	}
	return v
}
