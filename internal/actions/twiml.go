package actions

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

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

// wellFormed checks that a document is one XML document whose root is Response, and that its URLs are absolute: there is nothing
// that others could be relative to.
func wellFormed(document string) error {
	dec := xml.NewDecoder(strings.NewReader(document))
	var open []string        // the elements that we are in
	var text strings.Builder // since the last element began
	roots := 0
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
			if len(open) == 0 {
				if roots++; roots > 1 || token.Name.Local != "Response" || token.Name.Space != "" {
					return errors.New("must have one root, <Response>")
				}
			}
			open = append(open, token.Name.Local)
			text.Reset()
			if err := attributes(token); err != nil {
				return err
			}
		case xml.EndElement:
			open = open[:len(open)-1]
			if err := content(token.Name.Local, strings.TrimSpace(text.String())); err != nil {
				return err
			}
		case xml.CharData:
			if len(open) == 0 && len(bytes.TrimSpace(token)) > 0 {
				return errors.New("has text outside of <Response>")
			}
			text.Write(token)
		}
	}
}

// attributes checks those of an element.
func attributes(e xml.StartElement) error {
	if doubledAttribute(e.Attr) {
		return errors.New("has an attribute twice in one element")
	}
	for _, a := range e.Attr {
		name := strings.ToLower(a.Name.Local)
		isURL := name == "action" || strings.HasSuffix(name, "url") || strings.HasSuffix(name, "callback")
		if isURL && a.Value != "" && !absolute(a.Value) { // empty means none: waitUrl="" is silence
			return fmt.Errorf("must have absolute URLs, such as https://example.com/next; the %q of a <%s> is none", clip(a.Name.Local), clip(e.Name.Local))
		}
	}
	return nil
}

// content checks the text of an element.
func content(name, text string) error {
	if (name == "Play" || name == "Redirect") && text != "" && !absolute(text) {
		return fmt.Errorf("must have absolute URLs, such as https://example.com/next; that in a <%s> is none", name)
	}
	return nil
}

// absolute says whether a URL has a scheme of the web and a host.
func absolute(text string) bool {
	u, err := url.Parse(text)
	return err == nil && slices.Contains([]string{"https", "http", "wss", "ws"}, u.Scheme) && u.Host != ""
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
