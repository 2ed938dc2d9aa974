package egress

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
)

// ErrURL means that a URL cannot be used. The error's text says why and does not repeat it: it may hold a password.
var ErrURL = errors.New("bad URL")

// URL reads a URL and says what is wrong with it: an error that wraps ErrURL. Where it leads is checked when the
// connection is made. The operator's is http or https and may have a user and a password; anybody else's is https, has
// none, and names a port only if it is one of Ports.
func (g Guard) URL(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil { // not what package url says about it: that may quote a part of a password
		return nil, fmt.Errorf("%w: it cannot be read (odd characters in it must be written %%XX)", ErrURL)
	}
	if err := g.check(u); err != nil {
		return nil, err
	}
	return u, nil
}

// check is what URL does once the URL is read.
func (g Guard) check(u *url.URL) error {
	port, valid := port(u)
	switch {
	case g.Operator && u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("%w: it must begin with http:// or https://", ErrURL)
	case !g.Operator && u.Scheme != "https":
		return fmt.Errorf("%w: it must begin with https://", ErrURL)
	case u.Hostname() == "":
		return fmt.Errorf("%w: it has no host", ErrURL)
	case !valid:
		return fmt.Errorf("%w: its port is not within 1 and 65535", ErrURL)
	case g.Operator:
		return nil
	case u.User != nil:
		return fmt.Errorf("%w: it must not have a user or a password", ErrURL)
	case !g.port(port):
		return fmt.Errorf("%w: port %d is not allowed", ErrURL, port)
	}
	return nil
}

// port returns the port that a URL leads to.
func port(u *url.URL) (uint16, bool) {
	switch {
	case u.Port() != "":
		n, err := strconv.ParseUint(u.Port(), 10, 16)
		return uint16(n), err == nil && n > 0
	case u.Scheme == "http":
		return 80, true
	}
	return 443, true
}
