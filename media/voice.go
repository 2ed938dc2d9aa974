package media

import (
	"cmp"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/internal/reqbody"
)

const (
	// maxForm bounds the body of a voice webhook. Twilio's have about 1 KiB.
	maxForm = 64 << 10
	// maxParameter bounds name and value of a <Parameter> together, in characters (Twilio: <Stream>).
	maxParameter = 500
	// busyPause is how many seconds a call waits on a full server before its TwiML is requested again.
	busyPause = 2
)

// twiml is the answer to a voice webhook (Twilio: TwiML for Programmable Voice).
type twiml struct {
	XMLName  xml.Name  `xml:"Response"`
	Hangup   *struct{} `xml:"Hangup"`
	Connect  *connect  `xml:"Connect"`
	Pause    *pause    `xml:"Pause"`
	Redirect *redirect `xml:"Redirect"`
}

type connect struct {
	Stream stream `xml:"Stream"`
}

type stream struct {
	URL    string      `xml:"url,attr"`
	Params []parameter `xml:"Parameter"`
}

type parameter struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type pause struct {
	Length int `xml:"length,attr"`
}

type redirect struct {
	Method string `xml:"method,attr"`
	URL    string `xml:",chardata"`
}

// voice answers Twilio's voice webhook with TwiML that streams the call to this server. The Redirect after the stream makes
// the carrier request TwiML again if the stream ends before the call, after a lost connection or a shutdown. While the
// server accepts no streams, the answer is a Pause and a Redirect. For a call that was hung up it is a Hangup. Requests
// may be repeated.
func (s *Server) voice(c *fiber.Ctx) error {
	if no := s.admitSender(c); no != nil {
		return s.deny(c, no)
	}
	body, done, err := s.Bodies.Read(c.Context(), maxForm) // unmodified: the signature covers it
	defer done()
	if e := (*reqbody.Error)(nil); errors.As(err, &e) {
		return s.deny(c, &refusal{e.Status, e.Detail})
	}
	if no := s.admitWebhook(c, body); no != nil {
		return s.deny(c, no)
	}
	public, ok := parsePublicURL(s.PublicURL)
	if !ok {
		return s.deny(c, noPublicURL)
	}
	form, err := url.ParseQuery(string(body))
	callSID := form.Get("CallSid")
	if err != nil || !isID(callSID) {
		return s.deny(c, &refusal{fiber.StatusBadRequest, "the form has no usable CallSid"})
	}
	if s.hungUp.has(callSID, time.Now()) {
		return sendTwiML(c, twiml{Hangup: &struct{}{}})
	}
	again := &redirect{Method: "POST", URL: public.base(false) + "/voice/twilio"}
	if s.busy() {
		return sendTwiML(c, twiml{Pause: &pause{busyPause}, Redirect: again})
	}
	params := []parameter{
		newParameter(paramFrom, form.Get("From")),
		newParameter(paramTo, form.Get("To")),
		newParameter(paramDirection, form.Get("Direction")),
		newParameter(paramToken, s.calls.issue(callSID, time.Now())),
	}
	return sendTwiML(c, twiml{Connect: &connect{stream{s.streamURL(public), params}}, Redirect: again})
}

// busy reports whether an upgrade would get 503 now.
func (s *Server) busy() bool {
	return s.slots.isClosed() || s.slots.count() >= cmp.Or(s.MaxStreams, DefaultMaxStreams)
}

// streamURL returns the URL at which the carrier opens the stream.
func (s *Server) streamURL(public publicURL) string {
	u := public.base(true) + "/media/twilio"
	if s.PathToken != "" {
		u += "/" + url.PathEscape(string(s.PathToken))
	}
	return u
}

func sendTwiML(c *fiber.Ctx, t twiml) error {
	b, err := xml.Marshal(t)
	if err != nil {
		return err
	}
	c.Set(fiber.HeaderContentType, "text/xml; charset=utf-8")
	return c.Send(append([]byte(xml.Header), b...))
}

// newParameter makes a parameter that is not too long for the carrier.
func newParameter(name, value string) parameter {
	value = strings.ToValidUTF8(value, "")
	for most := maxParameter - 1 - utf8.RuneCountInString(name); utf8.RuneCountInString(value) > most; {
		value = string([]rune(value)[:most])
	}
	return parameter{name, value}
}
