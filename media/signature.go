package media

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"slices"
	"strings"
)

// signatureHeader carries Twilio's request signature.
const signatureHeader = "X-Twilio-Signature"

// sign computes the signature of a request (Twilio: "Validating requests"): HMAC-SHA1 over the URL and
// the form's names and values in the order of their names. Of a name that comes more than once, each
// different value counts once, in order, behind a name of its own.
func sign(token Secret, rawURL string, form url.Values) string {
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(rawURL))
	names := make([]string, 0, len(form))
	for name := range form {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		values := slices.Clone(form[name])
		slices.Sort(values)
		for _, value := range slices.Compact(values) {
			mac.Write([]byte(name))
			mac.Write([]byte(value))
		}
	}
	return base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// signed returns the first of the URLs that some token signed. It takes the same time whichever that is.
func signed(tokens []Secret, signature string, urls []string, form url.Values) (match string, ok bool) {
	for _, u := range urls {
		for _, token := range tokens {
			if token == "" {
				continue // anybody can sign with nothing
			}
			want := sign(token, u, form)
			if subtle.ConstantTimeCompare([]byte(signature), []byte(want)) == 1 && !ok {
				match, ok = u, true
			}
		}
	}
	return match, ok
}

// bodyHash is the query parameter that stands for a body which is no form.
const bodyHash = "bodySHA256"

// signedBody checks a webhook: with bodySHA256 in its URL the body must have that hash, and the URL alone
// is signed; otherwise the body is a form, and signed with the URL.
func signedBody(tokens []Secret, signature string, urls []string, query url.Values, body []byte) bool {
	if want := query.Get(bodyHash); want != "" {
		sum := sha256.Sum256(body)
		if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(want)) != 1 {
			return false
		}
		_, ok := signed(tokens, signature, urls, nil)
		return ok
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return false
	}
	_, ok := signed(tokens, signature, urls, form)
	return ok
}

// publicURL is Server.PublicURL taken apart.
type publicURL struct {
	secure bool   // https or wss
	host   string // without port, lower case
	port   string // empty where the URL has none
	path   string // before our own paths, without a slash at the end
}

// parsePublicURL reads an absolute http, https, ws or wss URL. It answers false for anything else.
func parsePublicURL(raw string) (publicURL, bool) {
	u, err := url.Parse(raw)
	if err != nil || u.Hostname() == "" || u.RawQuery != "" {
		return publicURL{}, false
	}
	p := publicURL{
		host: strings.ToLower(u.Hostname()),
		port: u.Port(),
		path: strings.TrimRight(u.EscapedPath(), "/"),
	}
	if strings.Contains(p.host, ":") {
		p.host = "[" + p.host + "]" // IPv6
	}
	switch u.Scheme {
	case "https", "wss":
		p.secure = true
	case "http", "ws":
	default:
		return publicURL{}, false
	}
	return p, true
}

// base is the public URL with the scheme for plain HTTP requests or for WebSockets.
func (p publicURL) base(socket bool) string {
	b := p.scheme(socket) + "://" + p.host
	if p.port != "" {
		b += ":" + p.port
	}
	return b + p.path
}

func (p publicURL) scheme(socket bool) string {
	scheme := "http"
	if socket {
		scheme = "ws"
	}
	if p.secure {
		scheme += "s"
	}
	return scheme
}

// candidates are the URLs the carrier may have signed for a request to target (path and query as on the
// request line), the likeliest first. Over TLS Twilio signs without the port, but its own libraries try
// both; for WebSockets its page says to try again with a slash at the end.
func (p publicURL) candidates(socket bool, target string) []string {
	hosts := []string{p.host}
	standard := "80"
	if p.secure {
		standard = "443"
	}
	if p.port != "" && p.port != standard {
		hosts = append(hosts, p.host+":"+p.port)
	}
	hosts = append(hosts, p.host+":"+standard)
	targets := []string{p.path + target}
	if socket {
		targets = append(targets, p.path+otherSlash(target))
	}
	var urls []string
	for _, target := range targets {
		for _, host := range hosts {
			urls = append(urls, p.scheme(socket)+"://"+host+target)
		}
	}
	return urls
}

// otherSlash adds a slash to the path of target, or takes it away.
func otherSlash(target string) string {
	path, query, found := strings.Cut(target, "?")
	if found {
		query = "?" + query
	}
	if trimmed, ok := strings.CutSuffix(path, "/"); ok {
		return trimmed + query
	}
	return path + "/" + query
}
