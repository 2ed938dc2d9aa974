package examples

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"aldeabridge/events"
	"aldeabridge/internal/actions"
)

const (
	secret     = "whsec_ZXhhbXBsZXMtdGVzdC1rZXktMDAwMDAwMDAwMDAwMDE="
	another    = "whsec_ZXhhbXBsZXMtdGVzdC1rZXktMDAwMDAwMDAwMDAwMDI="
	deliveryID = "evt_01KDYTESTVECT0R0000000000A"
)

// A delivery is a request as bridge sends it. What is empty is as it should be.
type delivery struct {
	body      []byte
	signature string
	at        time.Time
}

// post sends a request and returns the answer: status 0 if the connection broke.
func (p *program) post(d delivery) (status int, body []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), guard)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.url, bytes.NewReader(d.body))
	if err != nil {
		p.t.Fatal(err)
	}
	if d.at.IsZero() {
		d.at = time.Now()
	}
	if d.signature == "" {
		d.signature = sign(p.t, secret, d.at, d.body)
	}
	req.Close = true
	req.Header.Set("webhook-id", deliveryID)
	req.Header.Set("webhook-timestamp", strconv.FormatInt(d.at.Unix(), 10))
	req.Header.Set("webhook-signature", d.signature)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			p.t.Fatalf("%s does not answer: %v", p.name, err)
		}
		return 0, nil
	}
	defer res.Body.Close()
	if body, err = io.ReadAll(res.Body); err != nil {
		p.t.Fatal(err)
	}
	return res.StatusCode, body
}

func sign(t *testing.T, secret string, at time.Time, body []byte) string {
	t.Helper()
	wh, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := wh.Sign(deliveryID, at, body)
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// tell sends an event of the call, the next in sequence, and returns the actions of the answer, which must be 2xx.
func (p *program) tell(call string, body events.Body) []actions.Action {
	p.t.Helper()
	p.sequence++
	return p.deliver(event(p.t, call, p.sequence, body))
}

// again sends the same event as tell once more.
func (p *program) again(call string, body events.Body) []actions.Action {
	p.t.Helper()
	return p.deliver(event(p.t, call, p.sequence, body))
}

func (p *program) deliver(body []byte) []actions.Action {
	p.t.Helper()
	status, answer := p.post(delivery{body: body})
	if status < 200 || status > 299 {
		p.t.Fatalf("%s answered %d %s to %s", p.name, status, answer, body)
	}
	items, err := actions.Parse(answer, actions.Options{})
	if err != nil {
		p.t.Fatalf("%s answered what bridge would refuse: %v", p.name, err)
	}
	var list []actions.Action
	for _, item := range items {
		list = append(list, item.Action)
	}
	return list
}

// event is an event's JSON.
func event(t *testing.T, call string, sequence int64, body events.Body) []byte {
	t.Helper()
	e := events.Event{
		Time: time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC), Sequence: sequence, Body: body,
		Call: events.Call{ID: call, StreamID: "MZ1", Carrier: "twilio", From: "+15550100001", To: "+15550100002", Direction: events.Inbound},
	}
	b, err := e.JSON()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// said is an utterance.
func said(speaker events.Speaker, text string) events.Body {
	return events.UtteranceFinal{Utterance: events.Utterance{
		ID: "MZ1-1", Index: 1, Speaker: speaker, Text: text, EndedBy: events.BySpeechFinal, Confirmed: true, Words: []events.Word{},
	}}
}

// golden is an event as the documentation shows it.
func golden(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "events", "testdata", name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// same fails the test unless the actions are those that are wanted.
func same(t *testing.T, what string, got []actions.Action, want ...actions.Action) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		g, _ := actions.Marshal(got...)
		w, _ := actions.Marshal(want...)
		t.Errorf("%s:\ngot  %s\nwant %s", what, g, w)
	}
}
