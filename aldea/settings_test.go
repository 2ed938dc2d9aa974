package aldea

import (
	"errors"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestSettingsReplaceWhatTheyName(t *testing.T) {
	base, err := NewClient(Config{
		URL: "wss://one.test/?x=1,wss://two.test", Key: "org_1", Language: "en", Endpointing: "300", UtteranceEnd: time.Second,
		Keywords: []string{"order"}, Redact: []string{"pci"},
	})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name     string
		settings Settings
		want     url.Values // that differ
	}{
		{"nothing", Settings{}, nil},
		{"everything", Settings{Language: "es", Endpointing: "false", UtteranceEnd: 2 * time.Second, Keywords: []string{"Alda", "pedido"}, Redact: []string{"pii"}},
			url.Values{"language": {"es"}, "endpointing": {"false"}, "utterance_end_ms": {"2000"}, "keywords": {"Alda", "pedido"}, "redact": {"pii"}}},
		{"none instead of some", Settings{UtteranceEnd: -1, Keywords: []string{}, Redact: []string{}},
			url.Values{"utterance_end_ms": nil, "keywords": nil, "redact": nil}},
	}
	for _, test := range tests {
		client, err := base.With(test.settings)
		if err != nil {
			t.Fatal(err)
		}
		for i, u := range base.urls {
			want := u.Query()
			for name, values := range test.want {
				if want[name] = values; values == nil {
					delete(want, name)
				}
			}
			if got := client.urls[i].Query(); !reflect.DeepEqual(got, want) || client.urls[i].Host != u.Host {
				t.Errorf("%s: got %v at %s, want %v", test.name, got, client.urls[i].Host, want)
			}
		}
	}
}

func TestBadSettingsAreRefusedByTheNameOfTheirField(t *testing.T) {
	base, err := NewClient(Config{URL: "wss://one.test", Key: "org_1"})
	if err != nil {
		t.Fatal(err)
	}
	for field, s := range map[string]Settings{
		"Language": {Language: "de"}, "Endpointing": {Endpointing: "soon"}, "UtteranceEnd": {UtteranceEnd: time.Hour},
		"Keywords": {Keywords: []string{""}}, "Redact": {Redact: []string{"names"}},
	} {
		if _, err := base.With(s); err == nil || !strings.Contains(err.Error(), "Config."+field) {
			t.Errorf("%+v: got %v, want an error about %s", s, err, field)
		}
	}
}

func TestStreamsOfOtherSettingsShareThePlacesAndTheHealth(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t)
		english := p.client(func(c *Config) { c.MaxConnections = 2 })
		spanish, err := english.With(Settings{Language: "es"})
		if err != nil {
			t.Fatal(err)
		}
		for i, c := range []*Client{english, spanish, spanish} {
			open(t, c)
			synctest.Wait()
			if h := english.Health(); h.Streams != i+1 {
				t.Errorf("got %d streams, want %d", h.Streams, i+1)
			}
		}
		if h := spanish.Health(); h.Connections != 2 || h.Queued != 1 {
			t.Errorf("got %+v, want two connections and one stream that waits", h)
		}
		var languages []string
		for _, s := range p.shakes() {
			u, err := url.Parse(s.url)
			if err != nil {
				t.Fatal(err)
			}
			languages = append(languages, u.Query().Get("language"))
		}
		if got := strings.Join(languages, " "); got != "en es" {
			t.Errorf("got languages %s, want en es", got)
		}
	})
}

func TestRefusedSettingsOfSomeStreamsDoNotDisturbTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		one, two := newPeer(t), newPeer(t)
		picky := func(_ int, r *http.Request) (int, http.Header, string) {
			if r.URL.Query().Get("language") == "xx" {
				return 400, nil, ""
			}
			return 0, nil, ""
		}
		one.refuse, two.refuse = picky, picky
		client := both(one, two, everyLanguage)
		other, err := client.With(Settings{Language: "xx"})
		if err != nil {
			t.Fatal(err)
		}
		var status *StatusError
		refused := open(t, other)
		refused.Write(sound(0, 8000))
		time.Sleep(5 * time.Second)
		if h := client.Health(); h.Refused != 1 || h.Ready() {
			t.Errorf("got %+v, want a stream that is refused, and not ready", h)
		}
		refused.CloseSend()
		if _, err := collect(refused); !errors.As(err, &status) || status.Status != 400 {
			t.Errorf("got %v, want the refusal", err)
		}
		for _, h := range client.Health().Hosts {
			if !h.Trusted || !h.HeldUntil.IsZero() {
				t.Errorf("got %+v, want a host that all others may use", h)
			}
		}
		s := open(t, client)
		synctest.Wait()
		if got := s.Stats(); got.Host != "one.test" || got.Failures != 0 {
			t.Errorf("got %+v, want a connection to the first host at once", got)
		}
	})
}
