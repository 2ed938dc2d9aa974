package actions

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"
)

const (
	maxURL = 2000 // bytes

	whom = `a number such as "+15550100001", "sip:user@host" or "client:name"`
	from = `a number such as "+15550100001", or "client:name"`
)

var (
	callee   = regexp.MustCompile(`^(\+[1-9][0-9]{1,14}|client:[A-Za-z0-9_.@+-]{1,121}|sip:[^\s<>"'` + "`" + `\\@[:cntrl:]]{1,128}@[A-Za-z0-9.:\[\]-]{1,255}([;?][^\s<>"'` + "`" + `\\[:cntrl:]]{0,512})?)$`)
	callerID = regexp.MustCompile(`^(\+[1-9][0-9]{1,14}|client:[A-Za-z0-9_.@+-]{1,121})$`)
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
		optional("caller_id", pattern(&a.CallerID, callerID, from)),
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
			return wrong("", "must begin with https:// (or http://)")
		case u.Hostname() == "":
			return wrong("", "has no host")
		}
		if o.CheckURL != nil {
			if err := o.CheckURL(*to); err != nil {
				return wrong("", "is refused: %v", err)
			}
		}
		return nil
	}
}

// odd is what a URL has no business with.
func odd(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune("<>\"\\^`{|}", r) }

// document reads TwiML.
func document(to *string) reader {
	return func(raw []byte) *Error {
		if err := str(to)(raw); err != nil {
			return err
		}
		if n := utf8.RuneCountInString(*to); n > MaxTwiml {
			return wrong("", "has %d characters; the carrier takes at most %d", n, MaxTwiml)
		}
		if err := wellFormed(*to); err != nil {
			return wrong("", "%v", err)
		}
		return nil
	}
}

// wellFormed checks that text is one XML document whose root is Response.
func wellFormed(text string) error {
	dec := xml.NewDecoder(strings.NewReader(text))
	depth, roots := 0, 0
	for {
		token, err := dec.Token()
		var syntax *xml.SyntaxError
		switch {
		case errors.Is(err, io.EOF) && roots == 0:
			return errors.New("must be XML: <Response>…</Response>")
		case errors.Is(err, io.EOF):
			return nil
		case errors.As(err, &syntax):
			return errors.New("is not well-formed XML: " + syntax.Msg)
		case err != nil: // an encoding
			return errors.New("must be XML 1.0 in UTF-8")
		}
		switch token := token.(type) {
		case xml.Directive:
			return errors.New("must not have a <!DOCTYPE>")
		case xml.StartElement:
			if depth == 0 {
				if roots++; roots > 1 || token.Name.Local != "Response" || token.Name.Space != "" {
					return errors.New("must have one root, <Response>")
				}
			}
			depth++
			if doubledAttribute(token.Attr) {
				return errors.New("has an attribute twice in one element")
			}
		case xml.EndElement:
			depth--
		case xml.CharData:
			if depth == 0 && strings.TrimSpace(string(token)) != "" {
				return errors.New("has text outside of <Response>")
			}
		}
	}
}

// doubledAttribute is what XML forbids and package xml lets pass.
func doubledAttribute(attributes []xml.Attr) bool {
	seen := make(map[xml.Name]bool, len(attributes))
	for _, a := range attributes {
		if seen[a.Name] {
			return true
		}
		seen[a.Name] = true
	}
	return false
}
