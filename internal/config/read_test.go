package config

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

const whole = `# who hears of what
webhooks:
  orders:
    url: https://orders:${PASSWORD}@orders.example.com/events
    secret_env: ORDERS_SECRET
    events: [utterance.final, call.ended]
    timeout: 5s
    concurrency: 64.0
    headers: {x-team: orders, authorization: "Bearer ${TOKEN}"}
    ca_file: ca.pem
    certificate_file: client.pem
    key_file: /keys/client.key
    proxy: http://proxy:3128
  log:
    url: https://log.example.com
    secret_file: log-secret
routes:
  - to: ["+1 555 010-0002", "+1555020*"]
    webhooks: [orders, log]
    language: es
    voice: es-419
    keywords: [Alda]
    redact: [pci]
    endpointing: 5e2
    utterance_end_ms: 0
  - from: [+15550100009]
    webhooks: []
  - to: ["*"]
    endpointing: false
`

// env is an environment of three variables.
func env(name string) string {
	return map[string]string{"PASSWORD": "s3cret", "TOKEN": "t0ken"}[name]
}

func TestTheWholeFileIsRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "bridge.yaml")
	if err := os.WriteFile(file, []byte(whole), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Read(file, env)
	if err != nil {
		t.Fatal(err)
	}
	beside := func(name string) string { return filepath.Join(filepath.Dir(file), name) }
	none := time.Duration(0)
	want := &Config{
		Webhooks: []Webhook{
			{
				Name: "orders", URL: "https://orders:s3cret@orders.example.com/events", SecretEnv: "ORDERS_SECRET",
				Events: []events.Type{events.TypeUtteranceFinal, events.TypeCallEnded}, Timeout: 5 * time.Second, Concurrency: 64,
				Headers: map[string]string{"x-team": "orders", "authorization": "Bearer t0ken"},
				CAFile:  beside("ca.pem"), CertificateFile: beside("client.pem"), KeyFile: "/keys/client.key", Proxy: "http://proxy:3128",
			},
			{Name: "log", URL: "https://log.example.com", SecretFile: beside("log-secret")},
		},
		Routes: []Route{
			{
				To: []Pattern{"+15550100002", "+1555020*"}, Webhooks: []string{"orders", "log"}, Language: "es", Voice: "es-419", Keywords: []string{"Alda"},
				Redact: []string{"pci"}, Endpointing: "500", UtteranceEnd: &none,
			},
			{From: []Pattern{"+15550100009"}, Webhooks: []string{}},
			{To: []Pattern{"*"}, Endpointing: "false"},
		},
	}
	if got := c.Routes[0].Errorf("language", "hm").Error(); got != file+":20: language: hm" {
		t.Errorf("got %q, want the place of the language", got)
	}
	for i := range c.Webhooks {
		c.Webhooks[i].Place = Place{}
	}
	for i := range c.Routes {
		c.Routes[i].Place = Place{}
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("got  %+v\nwant %+v", c, want)
	}
}

func TestAFileThatSaysNothingIsNoError(t *testing.T) {
	for _, data := range []string{"", "# nothing\n", "---\n", "null\n", "{}\n", "routes: []\n"} {
		if c, err := Parse("bridge.yaml", []byte(data), env); err != nil || len(c.Webhooks)+len(c.Routes) > 0 {
			t.Errorf("%q: got %+v, %v, want nothing", data, c, err)
		}
	}
}

func TestWhatIsWrongIsToldWithItsLineAndWhatWouldBeRight(t *testing.T) {
	hook := func(lines string) string { return "webhooks:\n  a:\n    url: https://a\n" + lines }
	tests := []struct {
		name, data string
		want       []string // all in the message, the place first
	}{
		{"no YAML", "routes: [\n", []string{"bridge.yaml:1: "}},
		{"a text", "hello", []string{"bridge.yaml:1: ", "name: value"}},
		{"a tab", "webhooks:\n\ta:\n\t\turl: https://x\n", []string{"bridge.yaml:2: ", "tab", "spaces"}},
		{"a tab in the first line", "\twebhooks: {}\n", []string{"bridge.yaml:1: ", "tab"}},
		{"a tab behind spaces", "webhooks:\n  a:\n  \turl: https://x\n", []string{"bridge.yaml:3: ", "tab"}},
		{"a star", "routes:\n  - to: [*]\n", []string{"bridge.yaml:2: ", "quotes", `["*"]`}},
		{"a star in a longer list", "routes:\n  - to: ['+1*', *]\n", []string{"bridge.yaml:2: ", "quotes"}},
		{"a star before digits", "routes:\n  - to: [+1, *5]\n", []string{"bridge.yaml:2: ", "quotes"}},
		{"a star of events", hook("    events: [*]\n"), []string{"bridge.yaml:4: ", "quotes"}},
		{"a star on a line of its own", "routes:\n  - to:\n      - *\n", []string{"bridge.yaml:3: ", "quotes"}},
		{"an at sign", hook("    secret_env: @x\n"), []string{"bridge.yaml:4: ", "quotes"}},
		{"a colon in a text", hook("    proxy: a: b\n"), []string{"bridge.yaml:4: ", "quotes"}},
		{"a quote without its second", hook("    proxy: \"x\n"), []string{"bridge.yaml:", "quote is not closed"}},
		{"a bracket that is not closed", "webhooks: {a: {url: https://x}\n", []string{"bridge.yaml:", "not closed"}},
		{"two documents", "routes: []\n---\nroutes: []\n", []string{"bridge.yaml: ", "one document"}},
		{"an unknown part", "routes: []\nrooms: []\n", []string{"bridge.yaml:2: ", `"rooms"`, "webhooks, routes"}},
		{"a misspelt field", "routes:\n- to: [\"+1\"]\n  lang: es\n", []string{"bridge.yaml:3: ", `"lang"`, "language"}},
		{"a field without a value", "routes:\n- to: [\"+1\"]\n  webhooks:\n", []string{"bridge.yaml:3: ", "webhooks", "no value"}},
		{"a field twice", hook("    url: https://b\n"), []string{"bridge.yaml:4: ", "url", "twice", "line 3"}},
		{"a webhook twice", hook("  a: {url: https://b}\n"), []string{"bridge.yaml:4: ", "a is there twice"}},
		{"a webhook of no fields", "webhooks:\n  a:\n", []string{"bridge.yaml:2: ", "name: value"}},
		{"a webhook without an address", "webhooks:\n  a:\n    timeout: 5s\n", []string{"bridge.yaml:2: ", "webhook a has no url"}},
		{"a name with a dot", "webhooks:\n  a.b: {url: https://a}\n", []string{"bridge.yaml:2: ", `"a.b"`, "a-z, 0-9"}},
		{"a name that is too long", "webhooks:\n  " + strings.Repeat("a", 41) + ": {url: https://a}\n", []string{"bridge.yaml:2: ", "1 to 40"}},
		{"the name of the default", "webhooks:\n  default: {url: https://a}\n", []string{"bridge.yaml:2: ", "WEBHOOK_URL"}},
		{"a secret", hook("    secret: whsec_aGVsbG8=\n"), []string{"bridge.yaml:4: ", "secret_env: ", "secret_file: "}},
		{"two sources of a secret", hook("    secret_env: A\n    secret_file: b\n"), []string{"bridge.yaml:5: ", "secret_env", "keep one"}},
		{"an event that is not stored", hook("    events: [transcript.interim]\n"), []string{"bridge.yaml:4: ", "transcript.interim", "utterance.final"}},
		{"events that are no list", hook("    events: call.ended\n"), []string{"bridge.yaml:4: ", "list", "[utterance.final, call.ended]"}},
		{"a time without a unit", hook("    timeout: 5\n"), []string{"bridge.yaml:4: ", "timeout", "5s"}},
		{"a time in the past", hook("    timeout: -5s\n"), []string{"bridge.yaml:4: ", "timeout", "5s"}},
		{"no requests at once", hook("    concurrency: 0\n"), []string{"bridge.yaml:4: ", "concurrency", "1 or more"}},
		{"a header of several values", hook("    headers:\n      x: [1]\n"), []string{"bridge.yaml:5: ", "the header x"}},
		{"a certificate without its key", hook("    certificate_file: c.pem\n"), []string{"bridge.yaml:2: ", "certificate_file and key_file"}},
		{"a variable that is not set", hook("    proxy: http://${PROXY}\n"), []string{"bridge.yaml:4: ", "proxy", `"PROXY" is not set`}},
		{"a variable without an end", hook("    proxy: http://${PROXY\n"), []string{"bridge.yaml:4: ", "}"}},
		{"a route without numbers", "routes:\n- language: es\n", []string{"bridge.yaml:2: ", "to or from", `["*"]`}},
		{"a route that is a number", "routes:\n- \"+1\"\n", []string{"bridge.yaml:2: ", "a route"}},
		{"routes that are no list", "routes:\n  to: [\"+1\"]\n", []string{"bridge.yaml:2: ", "list", "- to:"}},
		{"a number that is no list", "routes:\n- to: +1\n", []string{"bridge.yaml:2: ", "to must be a list"}},
		{"no numbers", "routes:\n- to: []\n", []string{"bridge.yaml:2: ", "to is empty"}},
		{"an empty number", "routes:\n- to: [\" - \"]\n", []string{"bridge.yaml:2: ", "empty", "+15550100002"}},
		{"a star in the middle", "routes:\n- to: [\"+1*2\"]\n", []string{"bridge.yaml:2: ", "last character"}},
		{"a webhook that does not exist", "routes:\n- to: [\"+1\"]\n  webhooks: [order]\n" + hook(""), []string{"bridge.yaml:3: ", `"order"`, "default, a"}},
		{"a webhook twice in a route", "routes:\n- to: [\"+1\"]\n  webhooks: [a, a]\n" + hook(""), []string{"bridge.yaml:3: ", "a is there twice"}},
		{"requests without end", hook("    concurrency: 1e400\n"), []string{"bridge.yaml:4: ", "concurrency", "whole number"}},
		{"more requests than there can be", hook("    concurrency: 99999999999999999999\n"), []string{"bridge.yaml:4: ", "concurrency", "whole number"}},
		{"requests in another base", hook("    concurrency: 0x10p1\n"), []string{"bridge.yaml:4: ", "concurrency", "whole number"}},
		{"infinitely many requests", hook("    concurrency: .inf\n"), []string{"bridge.yaml:4: ", "concurrency", "whole number"}},
		{"half a second", "routes:\n- to: [\"+1\"]\n  utterance_end_ms: 0.5\n", []string{"bridge.yaml:3: ", "utterance_end_ms", "whole number"}},
		{"an empty keyword", "routes:\n- to: [\"+1\"]\n  keywords: [a, \"\"]\n", []string{"bridge.yaml:3: ", "keywords", "[Alda, refund]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse("bridge.yaml", []byte(tt.data), env)
			if err == nil {
				t.Fatal("got no error")
			}
			if !strings.HasPrefix(err.Error(), tt.want[0]) {
				t.Errorf("got %q, want it to begin with %q", err, tt.want[0])
			}
			for _, w := range tt.want[1:] {
				if !strings.Contains(err.Error(), w) {
					t.Errorf("got %q, want it to mention %s", err, w)
				}
			}
			if strings.Contains(err.Error(), "aGVsbG8") {
				t.Errorf("the error shows a secret: %v", err)
			}
		})
	}
}

func TestEverythingThatIsWrongIsToldAtOnce(t *testing.T) {
	_, err := Parse("bridge.yaml", []byte("webhooks:\n  A: {url: https://a}\nroutes:\n- {}\n- to: [\"+1\"]\n  webhooks: [b]\n"), env)
	if n := len(strings.Split(fmt.Sprint(err), "\n")); n != 3 {
		t.Errorf("got %d lines, want 3:\n%v", n, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(whole)
	f.Add("a: &a [*a]\nroutes: *a\n")
	f.Add("routes: &r\n- to: [\"+1\", *r]\n  webhooks: *r\n")
	f.Add("<<: {routes: []}\n? [a]\n: b\n")
	f.Add("webhooks: {a: {secret: whsec_aGVsbG8=, url: \"${X\"}}")
	f.Fuzz(func(t *testing.T, data string) {
		c, err := Parse("bridge.yaml", []byte(data), env)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "bridge.yaml:") {
				t.Errorf("got %q, want it to name the file", err)
			}
			return
		}
		for _, w := range c.Webhooks {
			if w.URL == "" || !webhookName.MatchString(w.Name) {
				t.Errorf("accepted %+v", w)
			}
		}
		for _, r := range c.Routes {
			if len(r.To)+len(r.From) == 0 {
				t.Errorf("accepted %+v", r)
			}
		}
		c.Find("+1 (555) 010-0001", "")
	})
}

func TestTheExampleOfTheDocumentsIsRead(t *testing.T) {
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(page), "```yaml\n")
	example, _, _ := strings.Cut(after, "```")
	getenv := func(name string) string { return map[string]string{"ORDERS_TOKEN": "t"}[name] }
	c, err := Parse("bridge.yaml", []byte(example), getenv)
	if err != nil || len(c.Webhooks) != 2 || len(c.Routes) != 2 {
		t.Errorf("got %+v, %v, want two webhooks and two routes", c, err)
	}
}
