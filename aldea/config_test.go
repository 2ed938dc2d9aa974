package aldea

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestEndpointCompletesTheBaseURL(t *testing.T) {
	const params = "?encoding=linear16&interim_results=true&language=en&sample_rate=16000"
	tests := []struct {
		url       string
		plaintext bool
		want      string // empty: refused
		err       string
	}{
		{url: "wss://api.aldea.ai", want: "wss://api.aldea.ai/v1/listen" + params},
		{url: "wss://api.aldea.ai/", want: "wss://api.aldea.ai/v1/listen" + params},
		{url: "https://api.aldea.ai", want: "wss://api.aldea.ai/v1/listen" + params},
		{url: "HTTPS://api.aldea.ai", want: "wss://api.aldea.ai/v1/listen" + params},
		{url: "wss://api.aldea.ai/v1/listen/pcm", want: "wss://api.aldea.ai/v1/listen/pcm" + params},
		{url: "wss://10.0.0.1:8443/asr", want: "wss://10.0.0.1:8443/asr" + params},
		{url: "wss://h/?x_script=1", want: "wss://h/v1/listen" + params + "&x_script=1"},
		{url: "ws://127.0.0.1:9000", want: "ws://127.0.0.1:9000/v1/listen" + params},
		{url: "http://localhost:9000", want: "ws://localhost:9000/v1/listen" + params},
		{url: "ws://[::1]:9000", want: "ws://[::1]:9000/v1/listen" + params},
		{url: "ws://asr.internal", plaintext: true, want: "ws://asr.internal/v1/listen" + params},
		{url: "ws://asr.internal", err: "AllowPlaintext"},
		{url: "http://192.168.1.2", err: "AllowPlaintext"},
		{url: "ws://localhost.example.com", err: "AllowPlaintext"},
		{url: "", err: "scheme"},
		{url: "api.aldea.ai", err: "scheme"},
		{url: "ftp://h", err: "scheme"},
		{url: "wss://", err: "no host"},
		{url: "wss:h", err: "no host"},
		{url: "wss://:443", err: "no host"},
		{url: "wss://user:org_secret@h", err: "user name"},
		{url: "wss://h/#x", err: "fragment"},
		{url: "wss://h:0", err: "port"},
		{url: "wss://h:70000", err: "port"},
		{url: "wss://h:x", err: "not a URL"},
		{url: "wss://h/%zz", err: "not a URL"},
		{url: "wss://h/?a=%zz", err: "query"},
		{url: "wss://h/?token=org_secret", err: "logs"},
		{url: "wss://h/?language=es", err: "field of its own"},
		{url: "wss://h\x00", err: "not a URL"},
	}
	for _, test := range tests {
		client, err := NewClient(Config{URL: test.url, Key: "org_secret", AllowPlaintext: test.plaintext})
		if test.want == "" {
			if err == nil || !strings.Contains(err.Error(), test.err) || !strings.Contains(err.Error(), "Config.URL") {
				t.Errorf("%q: got error %v, want one about the %s", test.url, err, test.err)
			} else if strings.Contains(err.Error(), "org_secret") {
				t.Errorf("%q: the error gives the key away: %v", test.url, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: got error %v", test.url, err)
		} else if got := client.guard.hosts[0].url.String(); got != test.want {
			t.Errorf("%q: got %s, want %s", test.url, got, test.want)
		}
	}
}

func TestSeveralURLsAreHostsInOrder(t *testing.T) {
	tests := []struct {
		url  string
		want string // the hosts
		err  string
	}{
		{"wss://a", "a", ""},
		{"wss://a,wss://b", "a b", ""},
		{" wss://b ,\n https://a/v1/listen/pcm , ws://localhost:9000", "b a localhost:9000", ""},
		{"wss://a/?x_script=1,2,wss://b", "a b", ""},
		{"wss://a/?x=https://c,wss://b", "a b", ""},
		{"wss://a,", "", "comma"},
		{"wss://a,b", "", "comma"},
		{",wss://a", "", "scheme"},
		{"wss://a,ws://b", "", "AllowPlaintext"},
		{"wss://a,https://a/", "", "twice"},
	}
	for _, test := range tests {
		client, err := NewClient(Config{URL: test.url, Key: "org_secret"})
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), "aldea: Config.URL: ") || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: got error %v, want one about the %s", test.url, err, test.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: got error %v", test.url, err)
			continue
		}
		var got []string
		for i, h := range client.Health().Hosts {
			got = append(got, h.Host)
			if client.guard.hosts[i].index != i {
				t.Errorf("%q: host %d thinks it is %d", test.url, i, client.guard.hosts[i].index)
			}
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%q: got hosts %v, want %s", test.url, got, test.want)
		}
	}
}

func TestEveryParameterIsSent(t *testing.T) {
	config := Config{
		URL: "wss://h", Key: "k", SampleRate: 8000, Encoding: "pcm", Language: "es", Endpointing: "300",
		UtteranceEnd: 1000 * ms, NoInterims: true, VADEvents: true, Keywords: []string{"one two", "três&"},
		Redact: []string{"pii", "pci"}, RedactMode: "mask",
	}
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	want := url.Values{
		"sample_rate": {"8000"}, "encoding": {"pcm"}, "language": {"es"}, "endpointing": {"300"}, "utterance_end_ms": {"1000"},
		"interim_results": {"false"}, "vad_events": {"true"}, "keywords": {"one two", "três&"}, "redact": {"pii", "pci"},
		"redact_mode": {"mask"},
	}
	if got := client.guard.hosts[0].url.Query(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestBadConfigurationIsRefusedByTheNameOfItsField(t *testing.T) {
	tests := []struct {
		field  string
		change func(*Config)
	}{
		{"Key", func(c *Config) { c.Key = "" }},
		{"Key", func(c *Config) { c.Key = "org secret" }},
		{"Key", func(c *Config) { c.Key = "org,secret" }},
		{"Key", func(c *Config) { c.Auth = AuthBearer; c.Key = "org_secret\n" }},
		{"Auth", func(c *Config) { c.Auth = 7 }},
		{"Header", func(c *Config) { c.Header = http.Header{"authorization": {"x"}} }},
		{"Header", func(c *Config) { c.Header = http.Header{"Sec-Websocket-Protocol": {"x"}} }},
		{"SampleRate", func(c *Config) { c.SampleRate = 44100 }},
		{"Encoding", func(c *Config) { c.Encoding = "mulaw" }},
		{"Language", func(c *Config) { c.Language = "en US" }},
		{"Endpointing", func(c *Config) { c.Endpointing = "true" }},
		{"Endpointing", func(c *Config) { c.Endpointing = "-1" }},
		{"UtteranceEnd", func(c *Config) { c.UtteranceEnd = -time.Second }},
		{"UtteranceEnd", func(c *Config) { c.UtteranceEnd = 1000 }}, // a number without its unit: nanoseconds
		{"Keywords", func(c *Config) { c.Keywords = []string{"a", " "} }},
		{"Redact", func(c *Config) { c.Redact = []string{"pi"} }},
		{"RedactMode", func(c *Config) { c.RedactMode = "hide" }},
		{"WordTimes", func(c *Config) { c.WordTimes = 9 }},
		{"Chunk", func(c *Config) { c.Chunk = ms }},
		{"Chunk", func(c *Config) { c.Chunk = time.Second }},
		{"ReplaySpeed", func(c *Config) { c.ReplaySpeed = 0.5 }},
		{"ReplaySpeed", func(c *Config) { c.ReplaySpeed = math.NaN() }},
		{"Buffer", func(c *Config) { c.Buffer = ms }},
		{"MaxConnections", func(c *Config) { c.MaxConnections = -1 }},
		{"StallTimeout", func(c *Config) { c.StallTimeout = -1 }},
		{"DialTimeout", func(c *Config) { c.DialTimeout = -1 }},
		{"WriteTimeout", func(c *Config) { c.WriteTimeout = -1 }},
		{"KeepAlive", func(c *Config) { c.KeepAlive = -1 }},
		{"PingInterval", func(c *Config) { c.PingInterval = -1 }},
		{"PongTimeout", func(c *Config) { c.PongTimeout = -1 }},
		{"DrainTimeout", func(c *Config) { c.DrainTimeout = -1 }},
	}
	for _, test := range tests {
		config := Config{URL: "wss://h", Key: "org_secret"}
		test.change(&config)
		_, err := NewClient(config)
		if err == nil || !strings.HasPrefix(err.Error(), "aldea: Config."+test.field+": ") {
			t.Errorf("%s: got %v, want an error that begins with the field", test.field, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: the error gives the key away: %v", test.field, err)
		}
	}
}

func TestAClientDoesNotShareItsConfiguration(t *testing.T) {
	config := Config{URL: "wss://h", Key: "k", Keywords: []string{"a"}, Header: http.Header{"X-A": {"1"}}}
	client, err := NewClient(config)
	if err != nil {
		t.Fatal(err)
	}
	config.Keywords[0] = "b"
	config.Header.Set("X-A", "2")
	if client.config.Keywords[0] != "a" || client.config.Header.Get("X-A") != "1" {
		t.Error("a change of the caller's slices reached the client")
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	var b strings.Builder
	key := Secret("org_secret")
	config := Config{Key: key}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		fmt.Fprintf(&b, verb+verb+verb, key, &config, []Secret{key})
	}
	data, err := json.Marshal(struct{ Key Secret }{key})
	if err != nil {
		t.Fatal(err)
	}
	b.Write(data)
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "key", key, "struct", struct{ K Secret }{key})
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "key", key, "struct", struct{ K Secret }{key})
	if out := b.String(); strings.Contains(out, "org_") || strings.Contains(out, fmt.Sprintf("%x", "org_")) {
		t.Errorf("the key was printed: %s", out)
	}
	if string(key) != "org_secret" {
		t.Error("the conversion is not the key")
	}
}

func TestAuthFormsParseWhatTheyPrint(t *testing.T) {
	for _, form := range []Auth{AuthSubprotocol, AuthBearer, AuthToken} {
		got, err := ParseAuth(form.String())
		if err != nil || got != form {
			t.Errorf("%v: got %v, %v", form, got, err)
		}
	}
	if got, err := ParseAuth(""); err != nil || got != AuthSubprotocol {
		t.Errorf("empty: got %v, %v, want subprotocol", got, err)
	}
	if _, err := ParseAuth("basic"); err == nil {
		t.Error("basic: got no error")
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("wss://api.aldea.ai/v1/listen", "org_x", "300", "en", "word", "pii", int64(60*ms), 1.25, false)
	f.Add("wss://a,wss://b/?x=1,2", "org_x", "300", "en", "word", "pii", int64(60*ms), 1.25, false)
	f.Add("ws://[::1]:80/?a=b&token=c#d", "a b", "false", "", "", "x", int64(0), -1.0, true)
	f.Fuzz(func(t *testing.T, base, key, endpointing, language, keyword, redact string, chunk int64, speed float64, plaintext bool) {
		client, err := NewClient(Config{
			URL: base, Key: Secret(key), Endpointing: endpointing, Language: language, Keywords: []string{keyword},
			Redact: []string{redact}, Chunk: time.Duration(chunk), ReplaySpeed: speed, AllowPlaintext: plaintext,
		})
		if err != nil {
			if !strings.HasPrefix(err.Error(), "aldea: Config.") {
				t.Errorf("got %v, want the name of the field", err)
			}
			return
		}
		for _, h := range client.guard.hosts {
			u, err := url.Parse(h.url.String())
			if err != nil {
				t.Fatalf("the address does not parse: %v", err)
			}
			if u.Scheme != "wss" && (u.Scheme != "ws" || !plaintext && !isLoopback(u.Hostname())) {
				t.Errorf("got scheme %s to %s", u.Scheme, u.Hostname())
			}
			if got := u.Query().Get("keywords"); got != keyword {
				t.Errorf("the keyword became %q, want %q", got, keyword)
			}
			if _, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u.String(), nil); err != nil {
				t.Errorf("no request can be made of it: %v", err)
			}
		}
	})
}
