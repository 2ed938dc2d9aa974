package actions

import (
	"net/netip"
	"net/url"
	"regexp"
	"strings"
)

const (
	maxURL = 2000 // bytes

	whom = `a number such as "+15550100001", "sip:user@host" or "client:name"`
	from = `a number such as "+15550100001", or "client:name"`

	// sipText is one of the characters of a SIP address around its host (RFC 3261 writes others %XX).
	sipText = `[A-Za-z0-9!#$%&()*+,./:;=?\[\]^_{|}~-]`
)

var (
	callee  = regexp.MustCompile(`^(\+[1-9][0-9]{1,14}|client:[A-Za-z0-9_.@+-]{1,121}|sip:` + sipText + `{1,128}@[A-Za-z0-9.:\[\]-]{1,255}([;?]` + sipText + `{0,512})?)$`)
	numeric = regexp.MustCompile(`^(0x[0-9a-f]*|[0-9]+)$`)
	caller  = regexp.MustCompile(`^(\+[1-9][0-9]{1,14}|client:[A-Za-z0-9_.@+-]{1,121})$`)
)

func (o Options) twiml(fields []field) (Action, *Error) {
	var a Twiml
	err := read(fields, id(&a.ID), required("twiml", document(&a.Twiml)))
	return a, err
}

func (o Options) redirect(fields []field) (Action, *Error) {
	var a Redirect
	err := read(fields, id(&a.ID), required("url", o.url(&a.URL)))
	return a, err
}

func (o Options) transfer(fields []field) (Action, *Error) {
	var a Transfer
	err := read(fields,
		id(&a.ID),
		required("to", pattern(&a.To, callee, whom)),
		optional("caller_id", pattern(&a.CallerID, caller, from)),
	)
	return a, err
}

func (o Options) hangup(fields []field) (Action, *Error) {
	var a Hangup
	err := read(fields, id(&a.ID))
	return a, err
}

// url reads a URL. What is wrong with it is said without repeating it: it may hold a password.
func (o Options) url(to *string) reader {
	return func(raw []byte) *Error {
		if err := str(to)(raw); err != nil {
			return err
		}
		u, err := url.Parse(*to)
		switch {
		case len(*to) > maxURL:
			return wrong("", "has %d bytes; at most %d are allowed", len(*to), maxURL)
		case err != nil, strings.ContainsFunc(*to, odd):
			return wrong("", "is not a URL; odd characters in it must be written %%XX")
		case u.Scheme != "http" && u.Scheme != "https":
			return wrong("", "must begin with https://")
		case u.Hostname() == "":
			return wrong("", "has no host")
		case u.User != nil:
			return wrong("", "must not have a user or a password")
		case oddAddress(u.Hostname()):
			return wrong("", "has an address in an odd spelling; such as 192.0.2.1 or [2001:db8::1] would be right")
		}
		if o.CheckURL != nil {
			if err := o.CheckURL(*to); err != nil {
				return wrong("", "is refused: %v", err)
			}
		}
		return nil
	}
}

// odd is what a URL has no business with: all that is not printable ASCII, and some that is.
func odd(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("<>\"\\^`{|}", r) }

// oddAddress says whether a host is an IPv4 address that is not written as four decimal numbers. Programs
// disagree about what 127.1, 0x7f000001 and 0177.0.0.1 are.
func oddAddress(host string) bool {
	last := strings.TrimSuffix(host, ".")
	last = strings.ToLower(last[strings.LastIndexByte(last, '.')+1:])
	if !numeric.MatchString(last) { // no top-level domain is a number
		return false
	}
	_, err := netip.ParseAddr(host)
	return err != nil
}
