package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
	"aldeabridge/events"
	"aldeabridge/internal/actions"
	"aldeabridge/internal/control/controltest"
	"aldeabridge/media"
	"aldeabridge/media/mediatest"
	"aldeabridge/webhooks/webhooktest"
)

// answering makes a webhook answer the first event of a type with a body, and everything else with nothing.
func answering(w *webhooktest.Server, kind events.Type, body string) {
	done := false
	w.Script(func(r webhooktest.Request) webhooktest.Answer {
		if r.Type != string(kind) || done {
			return webhooktest.OK()
		}
		done = true
		a := webhooktest.OK()
		a.Body = []byte(body)
		return a
	})
}

// of returns the bodies of a type among events.
func of[B events.Body](es []events.Event) (all []B) {
	for _, e := range es {
		if b, ok := e.Body.(B); ok {
			all = append(all, b)
		}
	}
	return all
}

// longest makes actions as long as they may be.
func longest(body string) string { return body + strings.Repeat(" ", actions.MaxBody-len(body)) }

func TestAWebhookHangsUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	answering(w.webhook, events.TypeUtteranceFinal, longest(`{"actions":[{"type":"hangup","id":"bye"}]}`))
	result, err := w.call("CA1", append(say("goodbye"), silence(30*time.Second)...)).Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if !result.ByServer {
		t.Error("the caller hung up, want the bridge to")
	}
	w.ended(t, 1)
	ended := of[events.CallEnded](w.delivered(t)["CA1"])
	if len(ended) != 1 || ended[0].Reason != events.EndHangUp {
		t.Errorf("got %+v, want one call.ended by hang_up", ended)
	}
}

func TestAnAnswerThatCannotBeReadHarmsNothing(t *testing.T) {
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	answering(w.webhook, events.TypeUtteranceFinal, `{"actions":[{"type":"hangup"},{"type":"play","url":"https://169.254.169.254/latest"}]}`)
	if _, err := w.call("CA1", say("first", "second")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	got := w.delivered(t)["CA1"]
	failed := of[events.ActionFailed](got)
	if len(failed) != 1 || failed[0].Index != 1 || !strings.Contains(failed[0].Reason, "not allowed") {
		t.Errorf("got %+v, want the second action refused", failed)
	}
	if said := texts(got); strings.Join(said, "|") != "first|second" {
		t.Errorf("got %q, want both utterances", said)
	}
}

func TestPackedActionsAreDoneOrTold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		coding string
		body   []byte
		reason string // of action.failed; empty: the call is hung up
	}{
		{"gzip", pack(t, `{"actions":[{"type":"hangup"}]}`), ""},
		{"br", []byte("\x0b\x0f\x80"), `it is "br"`},
		{"gzip", pack(t, `{"actions":[{"type":"hangup"}]}`)[:20], "damaged"},
		{"gzip", pack(t, longest(`{"actions":[]}`)), "100 times longer"},
	} {
		w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
		w.webhook.Script(func(r webhooktest.Request) webhooktest.Answer {
			a := webhooktest.OK()
			if r.Type != string(events.TypeCallStarted) && r.Type != string(events.TypeActionFailed) {
				return a
			}
			// Also to action.failed: an unreadable answer to it causes no further action.failed.
			a.Header, a.Body = http.Header{"Content-Encoding": {c.coding}}, c.body
			return a
		})
		result, err := w.call("CA1", append(silence(time.Second), say("one")...)).Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.ended(t, 1)
		failed := of[events.ActionFailed](w.delivered(t)["CA1"])
		if c.reason == "" {
			if !result.ByServer || len(failed) != 0 {
				t.Errorf("%s: got hung up %v, failures %+v, want the action done", c.coding, result.ByServer, failed)
			}
			continue
		}
		if len(failed) != 1 || !strings.Contains(failed[0].Reason, c.reason) || failed[0].InReplyTo == "" {
			t.Errorf("%s: got %+v, want one action.failed about %s", c.coding, failed, c.reason)
		}
		if got := metricsOf(t, w); !strings.Contains(got, `bridge_webhook_answers_unread_total{cause="`) {
			t.Errorf("%s: the answer is not counted", c.coding)
		}
	}
}

// pack returns text as gzip.
func pack(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestTheAPIActsOnACall(t *testing.T) {
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, nil)
	url := "http://" + w.server.listener.Addr().String() + "/v1/calls/CA1/actions"
	act := func(body string) (int, string) {
		t.Helper()
		resp, err := http.Post(url, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(b)
	}
	if status, body := act(`{"actions":[{"type":"hangup"}]}`); status != 404 {
		t.Errorf("got %d %s before the call, want 404", status, body)
	}
	over := make(chan mediatest.Result, 1)
	go func() {
		result, err := w.call("CA1", silence(time.Minute)).Run(context.Background())
		if err != nil {
			t.Error(err)
		}
		over <- result
	}()
	w.wait(t, func(got []webhooktest.Request) bool { return len(got) > 0 })
	if status, body := act(`{"actions":[{"type":"hang up"}]}`); status != 422 || !strings.Contains(body, "hangup") {
		t.Errorf("got %d %s, want 422 and the known types", status, body)
	}
	status, body := act(longest(`{"actions":[{"type":"hangup"}]}`))
	var acting struct {
		ActionIDs []string `json:"action_ids"`
	}
	if err := json.Unmarshal([]byte(body), &acting); err != nil || status != 202 || len(acting.ActionIDs) != 1 {
		t.Errorf("got %d %s, want 202 and an id", status, body)
	}
	if result := <-over; !result.ByServer {
		t.Error("the caller hung up, want the bridge to")
	}
	w.ended(t, 1)
	if status, body := act(`{"actions":[{"type":"hangup"}]}`); status != 409 {
		t.Errorf("got %d %s after the call, want 409", status, body)
	}
}

func TestAWebhookTransfersThroughTwilio(t *testing.T) {
	t.Parallel()
	twilio := controltest.New(controltest.Account{SID: "AC1", AuthToken: "token"})
	defer twilio.Close()
	twilio.AddCall("AC1", "CA1")
	taken := make(chan struct{})
	twilio.OnUpdate(func(controltest.Update) { close(taken) })
	w := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) {
		o.TwilioAccountSID, o.TwilioAPIURL, o.TwilioAPIKey, o.secrets.twilioKey = "AC1", twilio.URL, "SK1", "key"
	})
	// The key does not belong to the account: the first try fails, and is reported.
	answering(w.webhook, events.TypeUtteranceFinal, `{"actions":[{"type":"transfer","id":"desk","to":"+15550100009"}]}`)
	if _, err := w.call("CA1", say("a person please")).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.ended(t, 1)
	failed := of[events.ActionFailed](w.delivered(t)["CA1"])
	if len(failed) != 1 || failed[0].ActionID != "desk" || !strings.Contains(failed[0].Reason, "401") {
		t.Errorf("got %+v, want the transfer refused with 401", failed)
	}

	second := newWorld(t, sandbox.Options{Source: sandbox.Marker()}, func(o *options) {
		o.TwilioAccountSID, o.TwilioAPIURL = "AC1", twilio.URL
		o.PublicURL, o.secrets.twilio = "https://bridge.example.com", []media.Secret{"token"}
	})
	answering(second.webhook, events.TypeUtteranceFinal, `{"actions":[{"type":"transfer","id":"desk","to":"+15550100009"}]}`)
	c := second.call("CA1", append(say("a person please"), silence(30*time.Second)...))
	c.AuthToken, c.PublicURL = "token", "https://bridge.example.com"
	ctx, hangUp := context.WithCancel(t.Context())
	defer hangUp()
	over := make(chan struct{})
	go func() {
		defer close(over)
		_, _ = c.Run(ctx) // as Twilio does, it ends the stream on a Dial
	}()
	select {
	case <-taken:
	case <-over:
		t.Error("the stream ended without a transfer")
	}
	hangUp()
	<-over
	second.ended(t, 1)
	call, _ := twilio.Call("CA1")
	if len(call.Updates) != 1 || len(of[events.ActionFailed](second.delivered(t)["CA1"])) != 0 {
		t.Errorf("got %+v, want one update and no failure", call.Updates)
	}
}

func TestABodyThatAsksForNothingIsToldWhy(t *testing.T) {
	for body, want := range map[string]string{
		"": "empty", " \n": "empty", "not json": "not JSON", "actions=say": "not JSON", `{"actions":`: "not JSON", "5": "not a JSON object",
		`"say"`: "not a JSON object", "null": "not a JSON object", "{}": `no "actions"`, `{"actions":[]}`: "is empty",
	} {
		if got := noActions([]byte(body)); !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %s in it", body, got, want)
		}
	}
}
