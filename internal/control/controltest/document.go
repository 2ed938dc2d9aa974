package controltest

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// A Document is TwiML as Twilio would read it.
type Document struct {
	Verbs []Element
	// Err is what Twilio would put into its debugger (12100) before it hung up: the text is not a Response in XML.
	Err error
}

// An Element of TwiML, such as <Dial callerId="+15550100001">.
type Element struct {
	Name       string
	Attributes map[string]string
	Text       string // without that of children
	Children   []Element
}

// read reads TwiML.
func read(text string) *Document {
	dec := xml.NewDecoder(strings.NewReader(text))
	var root Element
	var stack []*Element
	for roots := 0; ; {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) && root.Name == "Response" {
			return &Document{Verbs: root.Children}
		}
		if err != nil || roots > 1 {
			return &Document{Err: errors.New("controltest: the TwiML is not one well-formed <Response>")}
		}
		switch token := token.(type) {
		case xml.StartElement:
			one := Element{Name: token.Name.Local, Attributes: map[string]string{}}
			for _, a := range token.Attr {
				one.Attributes[a.Name.Local] = a.Value
			}
			if len(stack) == 0 {
				root, roots = one, roots+1
				stack = append(stack, &root)
				continue
			}
			parent := stack[len(stack)-1]
			parent.Children = append(parent.Children, one)
			stack = append(stack, &parent.Children[len(parent.Children)-1])
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].Text += string(token)
			}
		}
	}
}
