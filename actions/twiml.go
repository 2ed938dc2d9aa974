package actions

import (
	"encoding/xml"
	"errors"
	"io"
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
