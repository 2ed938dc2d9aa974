package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/webhooks/webhooktest"
)

// writeConfig writes a bridge.yaml and returns its path.
func writeConfig(t testing.TB, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "bridge.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// shops are two businesses with a number and a webhook each, and a log for both that wants to know only of the ends of calls.
type shops struct {
	orders, repairs, log *webhooktest.Server
	config               string // the file
}

func newShops(t testing.TB) *shops {
	t.Helper()
	s := &shops{orders: webhooktest.New(secretB), repairs: webhooktest.New(secretB), log: webhooktest.New(secretB)}
	s.config = writeConfig(t, fmt.Sprintf(`
webhooks:
  orders: {url: "%s", secret_env: SHOP_SECRET}
  repairs: {url: "%s", secret_env: SHOP_SECRET}
  log: {url: "%s", secret_env: SHOP_SECRET, events: [call.ended]}
routes:
  - to: ["+1 (555) 010-0002"]
    webhooks: [orders, log]
    language: es
    keywords: [Alda, pedido]
  - to: ["+1555020*"]
    webhooks: [repairs, log]
    redact: [pci]
    endpointing: 500
  - to: ["+15550300001"]
    webhooks: []
`, s.orders.URL, s.repairs.URL, s.log.URL))
	for _, e := range s.all() {
		t.Cleanup(e.Close)
	}
	return s
}

func (s *shops) all() map[string]*webhooktest.Server {
	return map[string]*webhooktest.Server{"orders": s.orders, "repairs": s.repairs, "log": s.log}
}

// got is what an endpoint answered 2xx, as "call/sequence type", call by call.
func got(e *webhooktest.Server) string {
	var all []string
	for _, r := range e.Delivered() {
		all = append(all, fmt.Sprintf("%s/%d %s", r.CallID, r.Sequence, r.Type))
	}
	slices.SortStableFunc(all, func(a, b string) int { return strings.Compare(a[:3], b[:3]) })
	return strings.Join(all, ", ")
}

// until waits until an endpoint answered n requests with 2xx.
func until(t testing.TB, e *webhooktest.Server, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	if err := e.Wait(ctx, func([]webhooktest.Request) bool { return len(e.Delivered()) >= n }); err != nil {
		t.Fatalf("%v; it got %s", err, got(e))
	}
}

// place makes calls at once, each to its number, and returns when they are over.
func (w *world) place(t testing.TB, numbers map[string]string) {
	t.Helper()
	var wg sync.WaitGroup
	for sid, to := range numbers {
		wg.Go(func() {
			c := w.call(sid, say("hello from "+sid))
			c.To = to
			if _, err := c.Run(context.Background()); err != nil {
				t.Errorf("%s: %v", sid, err)
			}
		})
	}
	wg.Wait()
}

func TestCallsGoToTheWebhooksOfTheirNumberAndAreRecognizedAsTheirRouteSays(t *testing.T) {
	t.Parallel()
	shops := newShops(t)
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) { o.Config = shops.config })
	shops.repairs.Down()
	w.place(t, map[string]string{"CA1": "+15550100002", "CA2": "+15550200001", "CA3": "+15550300001", "CA4": "+15550400001"})
	until(t, shops.orders, 3)
	until(t, shops.log, 2)
	until(t, w.webhook, 3)
	if got := len(shops.repairs.Delivered()); got != 0 {
		t.Errorf("the webhook that is down accepted %d events", got)
	}
	shops.repairs.Up()
	until(t, shops.repairs, 3)
	whole := func(call string) string {
		return fmt.Sprintf("%[1]s/1 call.started, %[1]s/2 utterance.final, %[1]s/3 call.ended", call)
	}
	for name, want := range map[string]string{"orders": whole("CA1"), "repairs": whole("CA2"), "log": "CA1/3 call.ended, CA2/3 call.ended"} {
		if got := got(shops.all()[name]); got != want {
			t.Errorf("%s got %s\nwant %s", name, got, want)
		}
	}
	if got, want := got(w.webhook), whole("CA4"); got != want {
		t.Errorf("the default webhook got %s\nwant %s", got, want)
	}

	// What the recognizer was asked for, and what receivers were told.
	var asked []string
	for _, c := range w.sandbox.Connections() {
		q, err := url.ParseQuery(c.Query)
		if err != nil {
			t.Fatal(err)
		}
		asked = append(asked, fmt.Sprintf("%s %v %v %s", q.Get("language"), q["keywords"], q["redact"], q.Get("endpointing")))
	}
	slices.Sort(asked)
	want := []string{"en [] [] 300", "en [] [] 300", "en [] [pci] 500", "es [Alda pedido] [] 300"}
	if !slices.Equal(asked, want) {
		t.Errorf("got recognizers of %v, want %v", asked, want)
	}
	told := (&world{webhook: shops.orders}).delivered(t)["CA1"]
	start, said := told[0].Body.(events.CallStarted).Recognizer, told[1].Body.(events.UtteranceFinal).Utterance
	if start.Language != "es" || !slices.Equal(start.Keywords, []string{"Alda", "pedido"}) || said.Language != "es" {
		t.Errorf("got %+v and an utterance in %s, want both in es", start, said.Language)
	}
}

func TestARestartKeepsWhatIsOwedToWhom(t *testing.T) {
	t.Parallel()
	shops := newShops(t)
	shops.repairs.Down()
	data := t.TempDir()
	settings := func(o *options) { o.Config, o.DataDir, o.WebhookURL, o.Grace = shops.config, data, "", time.Second }
	w := newWorldOf(t, sandbox.Options{Source: sandbox.Marker()}, settings)
	w.place(t, map[string]string{"CA1": "+15550100002", "CA2": "+15550200001"})
	until(t, shops.orders, 3)
	until(t, shops.log, 2)
	if err := w.close(); err == nil || !strings.Contains(err.Error(), "BRIDGE_GRACE") {
		t.Fatalf("got %v, want it to tell that not all was delivered", err)
	}
	before := map[string]string{"orders": got(shops.orders), "log": got(shops.log)}

	shops.repairs.Up()
	w = newWorldOf(t, sandbox.Options{Source: sandbox.Marker()}, settings)
	until(t, shops.repairs, 3)
	if err := w.close(); err != nil {
		t.Errorf("the second time: %v", err)
	}
	for name, want := range before {
		if got := got(shops.all()[name]); got != want {
			t.Errorf("%s got %s\nafter the restart, %s before", name, got, want)
		}
	}
	for _, e := range []*webhooktest.Server{shops.orders, shops.repairs} { // the log does not want every event
		if err := e.Report().Err(); err != nil {
			t.Error(err)
		}
	}
}

func TestWhatIsWrongInTheConfigurationEndsTheStartWithItsLine(t *testing.T) {
	dir := t.TempDir()
	hook := func(line string) string { return "webhooks:\n  a:\n    url: https://a\n    " + line + "\n" }
	t.Setenv("NOT_A_SECRET", "hello")
	tests := []struct {
		name, text string
		want       []string
	}{
		{"a language that is none", "routes:\n- to: [\"+1\"]\n  language: es, en\n", []string{"bridge.yaml:3: language: ", "es, en"}},
		{"a language that is not known", "routes:\n- to: [\"+1\"]\n  language: de\n", []string{"bridge.yaml:3: language: ", `"de"`, "ALDEA_LANGUAGES"}},
		{"a pause that is none", "routes:\n- to: [\"+1\"]\n  endpointing: soon\n", []string{"bridge.yaml:3: endpointing: ", "false"}},
		{"a turn of an hour", "routes:\n- to: [\"+1\"]\n  utterance_end_ms: 3600000\n", []string{"bridge.yaml:3: utterance_end_ms: ", "60000"}},
		{"a redaction that is none", "routes:\n- to: [\"+1\"]\n  redact: [names]\n", []string{"bridge.yaml:3: redact: ", "pii, pci, numbers"}},
		{"a default that is not there", "routes:\n- to: [\"+1\"]\n  webhooks: [default]\n", []string{"bridge.yaml:3: webhooks: ", "WEBHOOK_URL"}},
		{"an address that is none", "webhooks:\n  a: {url: orders.example.com}\n", []string{"bridge.yaml:2: ", "https://"}},
		{"a variable that is not set", hook("secret_env: NO_SUCH_VARIABLE"), []string{"bridge.yaml:4: secret_env: ", "NO_SUCH_VARIABLE"}},
		{"a secret that is none", hook("secret_env: NOT_A_SECRET"), []string{"bridge.yaml:4: secret_env: ", "whsec_"}},
		{"a secret's file that is not there", hook("secret_file: " + dir + "/none"), []string{"bridge.yaml:4: secret_file: ", "none"}},
		{"a time-out that is too long", hook("timeout: 45s"), []string{"bridge.yaml:4: ", "45s", "30s"}},
		{"a header that is ours", hook("headers: {webhook-id: x}"), []string{"bridge.yaml:2: ", "Webhook-Id"}},
		{"authorities that are not there", hook("ca_file: none.pem"), []string{"bridge.yaml:4: ca_file: ", "none.pem"}},
		{"authorities that are none", hook("ca_file: bridge.yaml"), []string{"bridge.yaml:4: ca_file: ", "PEM"}},
		{"a certificate that is not there", hook("certificate_file: a.pem\n    key_file: b.pem"), []string{"bridge.yaml:4: certificate_file: ", "a.pem"}},
		{"a proxy that is none", hook("proxy: user:s3cret@proxy"), []string{"bridge.yaml:4: proxy: ", "http://proxy:3128"}},
		{"no YAML", "routes: [", []string{"bridge.yaml:1: "}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options{Listen: "127.0.0.1:0", MaxCalls: 1, DataDir: dir, Sandbox: "marker", Config: writeConfig(t, tt.text)}
			o.Aldea = aldeaOptions{SampleRate: 16000, Language: "en", Endpointing: "300"}
			s, err := newServer(o, hooks{}, slog.New(slog.DiscardHandler))
			if err == nil {
				s.listener.Close()
				t.Fatal("got no error")
			}
			for _, w := range tt.want {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %q, want it to mention %s", err, w)
				}
			}
			if strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the error shows a password: %v", err)
			}
		})
	}
}

func TestTheOneWebhookOfTheEnvironmentHasOptionsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) {
		o.Webhook = webhookOptions{Events: []string{"call.ended"}, Timeout: 5 * time.Second}
	})
	w.place(t, map[string]string{"CA1": ""})
	w.ended(t, 1)
	if got := got(w.webhook); got != "CA1/3 call.ended" {
		t.Errorf("got %s, want the end only", got)
	}
	for name, o := range map[string]webhookOptions{
		"WEBHOOK_EVENTS": {Events: []string{"call.over"}}, "WEBHOOK_TIMEOUT": {Timeout: time.Minute}, "WEBHOOK_CA_FILE": {CAFile: "/none"}, "WEBHOOK_PROXY": {Proxy: "proxy"},
	} {
		s := &server{options: options{WebhookURL: "https://a", Webhook: o, DataDir: t.TempDir()}, logger: slog.New(slog.DiscardHandler)}
		if _, err := s.defaultEndpoint(); err == nil || !strings.HasPrefix(err.Error(), name+": ") {
			t.Errorf("%+v: got %v, want an error about %s", o, err, name)
		}
	}
}
