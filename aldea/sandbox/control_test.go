package sandbox_test

import (
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

func TestFaultsAreSetShownAndHealedOverHTTP(t *testing.T) {
	srv := serve(t, sandbox.Options{Plan: []sandbox.Fault{{DropAfter: time.Second}}})
	for _, c := range []struct{ method, send, want string }{
		{"GET", "", `{"plan":[{"drop":"1s"}],"fault":{}}`},
		{"POST", `{"plan":["status=503 retry-after=2s",{"words":"objects","seed":7}],"fault":"duplicate"}`,
			`{"plan":[{"status":503,"retry-after":"2s"},{"words":"objects","seed":7}],"fault":{"duplicate":true}}`},
		{"GET", "", `{"plan":[{"status":503,"retry-after":"2s"},{"words":"objects","seed":7}],"fault":{"duplicate":true}}`},
		{"DELETE", "", `{"plan":[],"fault":{}}`},
		{"POST", `{}`, `{"plan":[],"fault":{}}`},
	} {
		status, text, header := request(t, srv, c.method, "/control/faults", nil, c.send)
		if status != 200 || text != c.want || header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: got %d %s, want %s", c.method, c.send, status, text, c.want)
		}
	}
	status, text, _ := request(t, srv, "POST", "/control/faults", nil, `{"outage":{"for":"1h","status":503,"drop":true}}`)
	if status != 200 || !strings.Contains(text, `"outage":{"for":"`) || !strings.Contains(text, `","status":503,"drop":true}`) {
		t.Errorf("got %d %s, want the outage", status, text)
	}
	if _, resp, _ := try(srv, "/v1/listen", "", key("org_a")); resp == nil || resp.StatusCode != 503 {
		t.Errorf("got %v during an outage, want 503", body(resp))
	} else {
		resp.Body.Close()
	}
	if status, _, _ := request(t, srv, "POST", "/v1/listen", key("org_a"), "audio"); status != 503 {
		t.Errorf("got %d for a recording during an outage, want 503", status)
	}
	request(t, srv, "DELETE", "/control/faults", nil, "")
	dial(t, srv, "").bye()
}

func TestWrongFaultsOverHTTPChangeNothing(t *testing.T) {
	srv := serve(t, sandbox.Options{Fault: sandbox.Fault{Status: 500}})
	for send, want := range map[string]string{
		`{"plans":[]}`:                           `no setting \"plans\"; there are plan, fault, outage`,
		`{"plan":[{"dropp":"1s"}]}`:              `no fault has a setting \"dropp\"; there are`,
		`{"plan":["drop=1s; ok"]}`:               `want one fault, got 2`,
		`{"fault":{"drop":1}}`:                   `drop can not be 1, want an amount`,
		`{"outage":{"fur":"1s"}}`:                `no outage has a setting \"fur\"; there are for, status, drop`,
		`{"outage":{"status":503}}`:              `need outage`,
		`{"fault":{}} x`:                         `something follows`,
		`[]`:                                     `want a JSON object`,
		``:                                       `want a JSON object`,
		`{"plan":[` + strings.Repeat(" ", 5<<20): `too large`,
	} {
		status, text, _ := request(t, srv, "POST", "/control/faults", nil, send)
		if status != 400 || !strings.HasPrefix(text, `{"error":"`) || !strings.Contains(text, want) {
			t.Errorf("%.60s: got %d %s, want 400 and %s", send, status, text, want)
		}
	}
	if status, _, header := request(t, srv, "PUT", "/control/faults", nil, "{}"); status != 405 || header.Get("Allow") == "" {
		t.Errorf("got %d for PUT, want 405 and what is allowed", status)
	}
	if got := srv.Faults(); got.Fault.Status != 500 {
		t.Errorf("got %+v, want what was set at start", got)
	}
}

func TestControlIsLockedWithTheServersKeys(t *testing.T) {
	srv := serve(t, sandbox.Options{Keys: []string{"org_in"}})
	for _, method := range []string{"GET", "POST", "DELETE"} {
		if status, _, _ := request(t, srv, method, "/control/faults", nil, `{}`); status != 401 {
			t.Errorf("%s: got %d without a key, want 401", method, status)
		}
		if status, _, _ := request(t, srv, method, "/control/faults", key("org_in"), `{}`); status != 200 {
			t.Errorf("%s: got %d with a key, want 200", method, status)
		}
	}
}
