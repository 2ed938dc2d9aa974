package media

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// sample is the form of Twilio's own examples.
func sample(from string) url.Values {
	return url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {from}, "Digits": {"1234"}, "From": {from}, "To": {"+18005551212"},
	}
}

// signatureCases are the signatures of Twilio's libraries' tests, and WebSocket ones made by the same rule.
var signatureCases = []struct {
	name, url string
	form      url.Values
	want      string
}{
	{"form", "https://example.com/myapp.php?foo=1&bar=2", sample("+14158675310"), "L/OH5YylLD5NRKLltdqwSvS0BnU="},
	{"form of another host", "https://mycompany.com/myapp.php?foo=1&bar=2", sample("+14158675309"), "RSOYDt4T1cUTdK1PDd93/VVr8B8="},
	{"form of another caller", "https://mycompany.com/myapp.php?foo=1&bar=2", sample("+12349013030"), "0/KCTR6DLpKmkAf8muzZqo1nDgQ="},
	{"WebSocket", "wss://media.example.com/twilio", nil, "0p9HGYJybIvZY5ER6AdY/msz2PI="},
	{"WebSocket with a slash", "wss://media.example.com/twilio/", nil, "BTdtATPimKswUJAv/NJAP32rXvk="},
	{"WebSocket with a port", "wss://media.example.com:443/twilio", nil, "B6J/runvKkMsTaKqj5J0B9283+E="},
	{"WebSocket as https", "https://media.example.com/twilio", nil, "of64nnYdBXG0kk8se2csoaupjgk="},
	{
		"JSON body", "https://example.com/myapp?bodySHA256=5ccde7145dfb8f56479710896586cb9d5911809d83afbe34627818790db0aec9",
		nil, "hPXmLwIy3Fgqv1i9KPmH/HhQ6zo=",
	},
}

func TestSignaturesAreTwilios(t *testing.T) {
	for _, c := range signatureCases {
		t.Run(c.name, func(t *testing.T) {
			if got := sign("12345", c.url, c.form); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

func TestARepeatedNameIsSignedOnceForEachValue(t *testing.T) {
	got := sign("12345", "https://example.com/", url.Values{"B": {"2", "1", "2"}, "A": {""}})
	want := sign("12345", "https://example.com/AB1B2", nil)
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestAStreamMayBeSignedForTheseURLsOnly(t *testing.T) {
	tokens := []Secret{"old", "12345"}
	public, ok := parsePublicURL("https://Media.example.com")
	if !ok {
		t.Fatal("public URL refused")
	}
	urls := slices.Concat(public.candidates(true, "/twilio"), public.candidates(false, "/twilio"))
	for _, c := range signatureCases[3:7] {
		if match, ok := signed(tokens, c.want, urls, nil); !ok || match != c.url {
			t.Errorf("%s: got %q, %v, want %q", c.name, match, ok, c.url)
		}
	}
	for _, c := range signatureCases[:3] {
		if match, ok := signed(tokens, c.want, urls, nil); ok {
			t.Errorf("%s: matches %q, want no match", c.name, match)
		}
	}
	for _, none := range [][]Secret{nil, {""}} {
		if _, ok := signed(none, sign("", urls[0], nil), urls, nil); ok {
			t.Errorf("a signature matches although there is no token in %q", none)
		}
	}
	if _, ok := signed(tokens, "", urls, nil); ok {
		t.Error("an empty signature matches")
	}
}

func TestTheURLsThatMayBeSigned(t *testing.T) {
	for _, c := range []struct {
		public, target string
		socket         bool
		want           string
	}{
		{"https://b.example", "/media", true, "wss://b.example/media wss://b.example:443/media wss://b.example/media/ wss://b.example:443/media/"},
		{"https://b.example/", "/media/", true, "wss://b.example/media/ wss://b.example:443/media/ wss://b.example/media wss://b.example:443/media"},
		{"wss://b.example:443/base/", "/m?q=1", true, "wss://b.example/base/m?q=1 wss://b.example:443/base/m?q=1 wss://b.example/base/m/?q=1 wss://b.example:443/base/m/?q=1"},
		{"https://B.example:8443", "/voice", false, "https://b.example/voice https://b.example:8443/voice https://b.example:443/voice"},
		{"http://127.0.0.1:8080", "/voice", false, "http://127.0.0.1/voice http://127.0.0.1:8080/voice http://127.0.0.1:80/voice"},
		{"http://[::1]:8080", "/voice", false, "http://[::1]/voice http://[::1]:8080/voice http://[::1]:80/voice"},
	} {
		p, ok := parsePublicURL(c.public)
		if got := strings.Join(p.candidates(c.socket, c.target), " "); !ok || got != c.want {
			t.Errorf("%s %s:\n got %s\nwant %s", c.public, c.target, got, c.want)
		}
	}
	for _, bad := range []string{"", "b.example", "ftp://b.example", "https://", "https://b.example/?q=1", "https://b.example:x"} {
		if p, ok := parsePublicURL(bad); ok {
			t.Errorf("%q: got %+v, want a refusal", bad, p)
		}
	}
}

func TestABodyIsSignedAsFormOrByItsHash(t *testing.T) {
	tokens := []Secret{"12345"}
	form, jsonBody := sample("+14158675310"), `{"CallSid":"CA1234567890ABCDE","Caller":"+12349013030"}`
	formURL, jsonURL := signatureCases[0].url, signatureCases[7].url
	hash, err := url.ParseQuery(strings.SplitN(jsonURL, "?", 2)[1])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, url, signature, body string
		query                      url.Values
		want                       bool
	}{
		{"form", formURL, signatureCases[0].want, form.Encode(), nil, true},
		{"form with one more field", formURL, signatureCases[0].want, form.Encode() + "&Extra=", nil, false},
		{"form that is none", formURL, signatureCases[0].want, "%zz", nil, false},
		{"JSON", jsonURL, signatureCases[7].want, jsonBody, hash, true},
		{"other JSON", jsonURL, signatureCases[7].want, jsonBody + " ", hash, false},
		{"JSON with a form's signature", jsonURL, signatureCases[0].want, jsonBody, hash, false},
	} {
		if got := signedBody(tokens, c.signature, []string{c.url}, c.query, []byte(c.body)); got != c.want {
			t.Errorf("%s: got %v, want %v", c.name, got, c.want)
		}
	}
}
