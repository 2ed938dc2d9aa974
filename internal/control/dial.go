package control

import (
	"encoding/xml"
	"errors"
	"strings"
)

// A response is TwiML that dials. https://www.twilio.com/docs/voice/twiml/dial
type response struct {
	XMLName xml.Name `xml:"Response"`
	Dial    struct {
		CallerID string `xml:"callerId,attr,omitempty"`
		Number   string `xml:",omitempty"`
		SIP      string `xml:"Sip,omitempty"`
		Client   string `xml:",omitempty"`
	}
}

// dial returns TwiML that dials. What it is given is data: it is escaped, whatever it holds.
func dial(to, callerID string) (string, error) {
	var r response
	r.Dial.CallerID = callerID
	client, isClient := strings.CutPrefix(to, "client:")
	switch {
	case to == "", isClient && client == "", to == "sip:":
		return "", errors.New(`there is nobody to dial; a number such as "+15550100001", "sip:user@host" or "client:name" would be right`)
	case isClient:
		r.Dial.Client = client
	case strings.HasPrefix(to, "sip:"):
		r.Dial.SIP = to
	default:
		r.Dial.Number = to
	}
	b, err := xml.Marshal(r)
	return string(b), err
}
