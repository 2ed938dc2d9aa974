package media_test

import (
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"
)

// post sends a voice webhook and returns the status and the body of the answer.
func (l *live) post(t *testing.T, form url.Values, header http.Header) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequest("POST", "http://"+l.addr+"/voice/twilio", strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body), resp.Header
}

// An answer is TwiML as Twilio would read it.
type answer struct {
	Connect *struct {
		Stream struct {
			URL    string `xml:"url,attr"`
			Params []struct {
				Name  string `xml:"name,attr"`
				Value string `xml:"value,attr"`
			} `xml:"Parameter"`
		} `xml:"Stream"`
	} `xml:"Connect"`
	Pause *struct {
		Length int `xml:"length,attr"`
	} `xml:"Pause"`
	Redirect struct {
		Method string `xml:"method,attr"`
		URL    string `xml:",chardata"`
	} `xml:"Redirect"`
}

func (a answer) params() map[string]string {
	m := map[string]string{}
	for _, p := range a.Connect.Stream.Params {
		m[p.Name] = p.Value
	}
	return m
}

func (l *live) ring(t *testing.T, form url.Values) answer {
	t.Helper()
	status, body, header := l.post(t, form, nil)
	if status != 200 || header.Get("Content-Type") != "text/xml; charset=utf-8" {
		t.Fatalf("got %d, %s, %s", status, header.Get("Content-Type"), body)
	}
	var a answer
	if err := xml.Unmarshal([]byte(body), &a); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	if a.Redirect.Method != "POST" || a.Redirect.URL != public+"/voice/twilio" {
		t.Errorf("redirect: got %+v", a.Redirect)
	}
	return a
}

func TestTheWebhookConnectsTheCallToItsStream(t *testing.T) {
	srv := serve(t, &media.Server{PublicURL: public + "/", PathToken: "a&b/c"})
	form := url.Values{
		"CallSid": {"CA1"}, "From": {`<"Tom" & 'Jerry'>`}, "To": {strings.Repeat("é", 600)}, "Direction": {"outbound-api"}, "Extra": {"x"},
	}
	a := srv.ring(t, form)
	if got, want := a.Connect.Stream.URL, "wss://bridge.example.com/media/twilio/a&b%2Fc"; got != want {
		t.Errorf("stream: got %s, want %s", got, want)
	}
	params := a.params()
	if params["from"] != `<"Tom" & 'Jerry'>` || params["direction"] != "outbound-api" {
		t.Errorf("params: got %q", params)
	}
	if got := len([]rune(params["to"])); got != 497 {
		t.Errorf("a long value: got %d characters, want 497: name and value together have less than 500", got)
	}
	call := mediatest.Call{
		URL: "ws://" + srv.addr + "/media/twilio/a&b%2Fc", CallSID: "CA1", Params: params,
	}
	if _, err := call.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	got := srv.next(t).start
	if got.From != `<"Tom" & 'Jerry'>` || got.Direction != "outbound" || len(got.Params) != 0 {
		t.Errorf("start: got %+v", got)
	}
}

func TestAStreamNeedsTheTokenOfItsCall(t *testing.T) {
	srv := serve(t, &media.Server{PublicURL: public})
	form := url.Values{"CallSid": {"CA1"}}
	first := srv.ring(t, form).params()
	second := srv.ring(t, form).params() // the carrier asks again
	if first["bridge_token"] == second["bridge_token"] || first["bridge_token"] == "" {
		t.Fatalf("tokens: got %q and %q, want two", first["bridge_token"], second["bridge_token"])
	}
	for _, c := range []struct {
		name, callSID string
		params        map[string]string
		code          int
	}{
		{"none", "CA1", nil, 1008},
		{"an invented one", "CA1", map[string]string{"bridge_token": "x"}, 1008},
		{"the first", "CA1", first, 1000},
		{"the first again", "CA1", first, 1008},
		{"the second", "CA1", second, 1008},
		{"none, for another call", "CA2", nil, 1000},
		{"an invented one, for another call", "CA2", map[string]string{"bridge_token": "x"}, 1008},
	} {
		call := mediatest.Call{URL: srv.url(), CallSID: c.callSID, Params: c.params, Hold: 40 * time.Millisecond, HangUp: mediatest.Close}
		if c.code == 1008 {
			call.HangUp = mediatest.Silent
		}
		result, err := call.Run(context.Background())
		if err != nil || result.CloseCode != c.code {
			t.Errorf("%s: got %d, %v, want %d", c.name, result.CloseCode, err, c.code)
		}
	}
	if got := srv.Stats(); got.Token != 5 || got.Started != 2 {
		t.Errorf("stats: got %+v, want 5 refused and 2 started", got)
	}
}

func TestTheWebhookRefusesWhatItCannotAnswer(t *testing.T) {
	form := url.Values{"CallSid": {"CA1234567890ABCDE"}, "From": {"+14158675310"}, "Empty": {""}}
	signature := func(token string, form url.Values) http.Header {
		return http.Header{"X-Twilio-Signature": {mediatest.Sign(token, public+"/voice/twilio", form)}}
	}
	for _, c := range []struct {
		name   string
		server *media.Server
		form   url.Values
		header http.Header
		status int
		detail string
	}{
		{"signed", signing("t2", "t1"), form, signature("t1", form), 200, ""},
		{"not signed", signing("t1"), form, nil, 403, "X-Twilio-Signature"},
		{"signed with another token", signing("t1"), form, signature("t3", form), 403, "X-Twilio-Signature"},
		{"signed for another form", signing("t1"), form, signature("t1", url.Values{"CallSid": {"CA2"}}), 403, "X-Twilio-Signature"},
		{"no public URL", &media.Server{}, form, nil, 503, "BRIDGE_PUBLIC_URL"},
		{"signed, no public URL", &media.Server{AuthTokens: []media.Secret{"t1"}}, form, signature("t1", form), 503, "BRIDGE_PUBLIC_URL"},
		{"no call", &media.Server{PublicURL: public}, url.Values{"From": {"+1"}}, nil, 400, "CallSid"},
		{"a monstrous call", &media.Server{PublicURL: public}, url.Values{"CallSid": {strings.Repeat("C", 1000)}}, nil, 400, "CallSid"},
		{"a monstrous form", &media.Server{PublicURL: public}, url.Values{"CallSid": {"CA1"}, "x": {strings.Repeat("C", 70000)}}, nil, 413, "too large"},
		{"a compressed form", &media.Server{PublicURL: public}, form, http.Header{"Content-Encoding": {"gzip"}}, 415, "without compression"},
	} {
		t.Run(c.name, func(t *testing.T) {
			status, body, header := serve(t, c.server).post(t, c.form, c.header)
			if status != c.status || !strings.Contains(body, c.detail) {
				t.Errorf("got %d %s, want %d and something about %q", status, body, c.status, c.detail)
			}
			if status != 200 && header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("content type: got %q", header.Get("Content-Type"))
			}
		})
	}
}

func TestACallIsHeldWhileTheServerTakesNone(t *testing.T) {
	srv := serve(t, &media.Server{PublicURL: public})
	if err := srv.Shutdown(context.Background()); err != nil {
		t.Fatal(err)
	}
	a := srv.ring(t, url.Values{"CallSid": {"CA1"}})
	if a.Connect != nil || a.Pause == nil || a.Pause.Length != 2 {
		t.Errorf("got %+v, want a pause and no stream", a)
	}
	var refused *mediatest.HandshakeError
	if _, err := (&mediatest.Call{URL: srv.url()}).Run(context.Background()); !errors.As(err, &refused) || refused.Status != 503 {
		t.Errorf("stream: got %v, want 503", err)
	}
}

func TestACallThatWeHungUpIsToldSo(t *testing.T) {
	srv := serve(t, &media.Server{PublicURL: public})
	serve := srv.Serve
	srv.Serve = func(ctx context.Context, st *media.Stream) {
		st.HangUp()
		serve(ctx, st)
	}
	form := url.Values{"CallSid": {"CA1"}}
	call := mediatest.Call{URL: srv.url(), CallSID: "CA1", Params: srv.ring(t, form).params(), HangUp: mediatest.Silent}
	result, err := call.Run(context.Background())
	if err != nil || result.CloseCode != 1000 {
		t.Errorf("got %+v, %v, want the stream closed by the server with 1000", result, err)
	}
	if got := srv.next(t).reason; got != media.EndHangUp {
		t.Errorf("got %q, want %q", got, media.EndHangUp)
	}
	if _, body, _ := srv.post(t, form, nil); !strings.Contains(body, "<Hangup>") || strings.Contains(body, "<Connect>") {
		t.Errorf("got %s, want <Hangup>", body)
	}
	if srv.ring(t, url.Values{"CallSid": {"CA2"}}).Connect == nil {
		t.Error("another call is not connected")
	}
}
