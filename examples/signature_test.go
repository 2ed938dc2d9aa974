package examples

import (
	"bytes"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
)

// webhooks are the examples that receive events.
var webhooks = []string{"ivr-go", "ivr-node", "ivr-python", "logger", "llm-bot"}

func TestOnlyWhatBridgeSignedIsTaken(t *testing.T) {
	for _, name := range webhooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name, "TRANSCRIPTS="+t.TempDir()).serving()
			now := time.Now()
			body := event(t, "CA1", 1, events.CallStarted{Tracks: []events.Speaker{events.Caller}})
			good := sign(t, secret, now, body)
			for what, d := range map[string]delivery{
				"another secret":       {body: body, signature: sign(t, another, now, body), at: now},
				"another body":         {body: bytes.Replace(body, []byte("CA1"), []byte("CA2"), 1), signature: good, at: now},
				"another time":         {body: body, signature: good, at: now.Add(-time.Second)},
				"too old":              {body: body, at: now.Add(-6 * time.Minute)},
				"too new":              {body: body, at: now.Add(6 * time.Minute)},
				"another version":      {body: body, signature: strings.Replace(good, "v1,", "v2,", 1), at: now},
				"no version":           {body: body, signature: strings.TrimPrefix(good, "v1,"), at: now},
				"the beginning":        {body: body, signature: good[:20], at: now},
				"not ASCII":            {body: body, signature: "v1,\u00e9\u00e9", at: now},
				"nothing":              {body: body, signature: " ", at: now},
				"nothing in a version": {body: body, signature: "v1,", at: now},
			} {
				if status, answer := p.post(d); status != 401 {
					t.Errorf("%s: got %d %s, want 401", what, status, answer)
				}
			}
			res, err := http.Post(p.url, "application/json", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
			if res.StatusCode != 401 {
				t.Errorf("not signed: got %d, want 401", res.StatusCode)
			}
			http.DefaultClient.CloseIdleConnections()
			// None of these was noted as the first event of the call.
			rotation := delivery{body: body, signature: "v1a,xyz " + sign(t, another, now, body) + " " + good, at: now}
			status, answer := p.post(rotation)
			if status/100 != 2 {
				t.Errorf("one of several signatures is right: got %d", status)
			}
			if name != "logger" && !bytes.Contains(answer, []byte(`"say"`)) {
				t.Errorf("got %s, want a greeting", answer)
			}
		})
	}
}

func TestAWebhookSurvivesNonsense(t *testing.T) {
	for _, name := range webhooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := start(t, name, "TRANSCRIPTS="+t.TempDir()).serving()
			for _, body := range []string{"", "{", `{"actions":[]}`, "null", "[]"} {
				p.post(delivery{body: []byte(body)}) // signed, so that it is read
			}
			if status, answer := p.post(delivery{body: bytes.Repeat([]byte(" "), 3<<20)}); status/100 == 2 {
				t.Errorf("3 MiB: got %d %s, want it refused", status, answer)
			}
			u, err := url.Parse(p.url)
			if err != nil {
				t.Fatal(err)
			}
			for _, half := range []string{"", "GET / HTTP/1.1\r\n\r\n", "POST / HTTP/1.1\r\ncontent-length: -5\r\n\r\n", "POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"} {
				c, err := net.Dial("tcp", u.Host)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Write([]byte(half)); err != nil {
					t.Fatal(err)
				}
				c.Close()
			}
			p.deliver(golden(t, "call.started"))
		})
	}
}

func TestAWebhookNeedsASecret(t *testing.T) {
	for _, name := range webhooks {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := startCommand(t, name, command(name), "WEBHOOK_SECRET=", "PORT=0")
			for line := range p.lines {
				t.Errorf("got %q, want it to end at once", line)
			}
			if err := p.cmd.Wait(); err == nil || !strings.Contains(p.errs.String(), "set WEBHOOK_SECRET") {
				t.Errorf("got %v and %q, want a failure that says what is missing", err, p.errs)
			}
		})
	}
}
