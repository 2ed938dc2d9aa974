package controltest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/internal/control/controltest"
)

var ours = controltest.Account{SID: "AC1", AuthToken: "t0ken", Keys: map[string]string{"SK1": "k3y"}}

const path = "/2010-04-01/Accounts/AC1/Calls/CA1.json"

// An answer is what Twilio said.
type answer struct {
	status int
	header http.Header
	Code   int    `json:"code"`
	Text   string `json:"message"`
	Status any    `json:"status"`
}

// ask sends a request as the API's documentation describes it.
func ask(t *testing.T, srv *controltest.Server, method, path, user, password, form string) (answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, srv.URL+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		req.SetBasicAuth(user, password)
	}
	client := http.Client{Transport: srv.Transport()}
	resp, err := client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	a := answer{status: resp.StatusCode, header: resp.Header}
	body, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(body, &a)
	}
	return a, err
}

func TestEachRequestGetsItsAnswer(t *testing.T) {
	long := url.Values{"Twiml": {strings.Repeat("é", 4001)}}.Encode()
	for _, tt := range []struct {
		name                         string
		was                          controltest.Status // the call's; empty for none
		method, path, user, password string
		form                         string
		status, code                 int
		is                           controltest.Status // the call's, afterwards
	}{
		{"completed", controltest.InProgress, "POST", path, "AC1", "t0ken", "Status=completed", 200, 0, controltest.Completed},
		{"by a key", controltest.InProgress, "POST", path, "SK1", "k3y", "Status=completed", 200, 0, controltest.Completed},
		{"completed while ringing", controltest.Ringing, "POST", path, "AC1", "t0ken", "Status=completed", 200, 0, controltest.Completed},
		{"canceled while queued", controltest.Queued, "POST", path, "AC1", "t0ken", "Status=canceled", 200, 0, controltest.Canceled},
		{"canceled while in progress", controltest.InProgress, "POST", path, "AC1", "t0ken", "Status=canceled", 400, 21220, controltest.InProgress},
		{"completed twice", controltest.Completed, "POST", path, "AC1", "t0ken", "Status=completed", 400, 21220, controltest.Completed},
		{"redirected when over", controltest.Canceled, "POST", path, "AC1", "t0ken", "Url=https%3A%2F%2Fa.example%2F", 400, 21220, controltest.Canceled},
		{"redirected while ringing", controltest.Ringing, "POST", path, "AC1", "t0ken", "Url=https%3A%2F%2Fa.example%2F", 400, 21220, controltest.Ringing},
		{"no such status", controltest.InProgress, "POST", path, "AC1", "t0ken", "Status=paused", 400, 20001, controltest.InProgress},
		{"redirected", controltest.InProgress, "POST", path, "AC1", "t0ken", "Url=https%3A%2F%2Fa.example%2F&Method=GET", 200, 0, controltest.InProgress},
		{"redirected nowhere", controltest.InProgress, "POST", path, "AC1", "t0ken", "Url=%2Fnext", 400, 21205, controltest.InProgress},
		{"no such method", controltest.InProgress, "POST", path, "AC1", "t0ken", "Url=https%3A%2F%2Fa.example%2F&Method=PUT", 400, 20001, controltest.InProgress},
		{"instructed", controltest.InProgress, "POST", path, "AC1", "t0ken", "Twiml=%3CResponse%2F%3E", 200, 0, controltest.InProgress},
		{"instructed badly", controltest.InProgress, "POST", path, "AC1", "t0ken", "Twiml=%3CResponse%3E", 200, 0, controltest.Completed},
		{"a URL goes before instructions", controltest.InProgress, "POST", path, "AC1", "t0ken", "Url=https%3A%2F%2Fa.example%2F&" + long, 200, 0, controltest.InProgress},
		{"instructed at length", controltest.InProgress, "POST", path, "AC1", "t0ken", long, 400, 32018, controltest.InProgress},
		{"looked at", controltest.InProgress, "GET", path, "AC1", "t0ken", "", 200, 0, controltest.InProgress},
		{"deleted", controltest.InProgress, "DELETE", path, "AC1", "t0ken", "", 405, 20004, controltest.InProgress},
		{"nobody", controltest.InProgress, "POST", path, "", "", "Status=completed", 401, 20003, controltest.InProgress},
		{"no token", controltest.InProgress, "POST", path, "AC1", "", "Status=completed", 401, 20003, controltest.InProgress},
		{"another token", controltest.InProgress, "POST", path, "AC1", "k3y", "Status=completed", 401, 20003, controltest.InProgress},
		{"another key", controltest.InProgress, "POST", path, "SK2", "", "Status=completed", 401, 20003, controltest.InProgress},
		{"another account", controltest.InProgress, "POST", "/2010-04-01/Accounts/AC2/Calls/CA1.json", "AC1", "t0ken", "Status=completed", 401, 20003, controltest.InProgress},
		{"no such call", "", "POST", path, "AC1", "t0ken", "Status=completed", 404, 20404, ""},
		{"somewhere else", controltest.InProgress, "POST", "/Calls/CA1", "AC1", "t0ken", "Status=completed", 404, 20404, controltest.InProgress},
	} {
		srv := controltest.NewInMemory(ours)
		if tt.was != "" {
			srv.SetCall("AC1", "CA1", tt.was)
		}
		a, err := ask(t, srv, tt.method, tt.path, tt.user, tt.password, tt.form)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if a.status != tt.status || a.Code != tt.code {
			t.Errorf("%s: got %d, code %d; want %d, code %d", tt.name, a.status, a.Code, tt.status, tt.code)
		}
		if a.status != 200 && (a.Text == "" || a.Status != float64(tt.status)) {
			t.Errorf("%s: got %+v, want a text, and the status in the JSON", tt.name, a)
		}
		if c, _ := srv.Call("CA1"); c.Status != tt.is {
			t.Errorf("%s: the call is %q, want %q", tt.name, c.Status, tt.is)
		}
		srv.Close()
	}
}

func TestFaultsComeInTheirOrder(t *testing.T) {
	for _, start := range []func(...controltest.Account) *controltest.Server{controltest.New, controltest.NewInMemory} {
		srv := start(ours)
		srv.AddCall("AC1", "CA1")
		srv.Script(
			controltest.TooMany("7"),
			controltest.Fault{Status: 500, Code: 20500, Done: true},
			controltest.Fault{Break: controltest.Cut},
			controltest.Fault{Break: controltest.CutBody},
			controltest.Fault{Body: "<html>"},
		)
		var got []string
		for range 6 {
			a, err := ask(t, srv, "POST", path, "AC1", "t0ken", "Twiml=%3CResponse%2F%3E")
			var broken *json.SyntaxError
			switch {
			case errors.As(err, &broken):
				got = append(got, "no JSON")
			case errors.Is(err, io.ErrUnexpectedEOF) && a.status != 0:
				got = append(got, "half")
			case err != nil:
				got = append(got, "cut")
			default:
				got = append(got, fmt.Sprintf("%d %d %s", a.status, a.Code, a.header.Get("Retry-After")))
			}
		}
		if want := []string{"429 20429 7", "500 20500 ", "cut", "half", "no JSON", "200 0 "}; !reflect.DeepEqual(got, want) {
			t.Errorf("got  %q\nwant %q", got, want)
		}
		if c, _ := srv.Call("CA1"); len(c.Updates) != 3 {
			t.Errorf("got %d updates, want 3: one of a fault, one with a broken body, one good", len(c.Updates))
		}
		srv.Close()
	}
}

func TestWhatStandsStillDoesSoUntilSomebodyGivesUp(t *testing.T) {
	for _, b := range []controltest.Break{controltest.Silent, controltest.SlowBody} {
		synctest.Test(t, func(t *testing.T) {
			srv := controltest.NewInMemory(ours)
			defer srv.Close()
			srv.AddCall("AC1", "CA1")
			srv.Script(controltest.Fault{Break: b}, controltest.Fault{Break: b})
			began := time.Now()
			_, err := ask(t, srv, "POST", path, "AC1", "t0ken", "Status=completed")
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took != time.Minute {
				t.Errorf("got %v after %v, want the client's time-out after 1m", err, took)
			}
			time.AfterFunc(time.Second, srv.Twilio.Close)
			if _, err = ask(t, srv, "POST", path, "AC1", "t0ken", "Status=completed"); err == nil || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a connection that the server closed", err)
			}
		})
	}
}

func TestTwiMLIsReadAsTwilioWould(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []controltest.Element // nil if it is not TwiML
	}{
		{`<Response/>`, []controltest.Element{}},
		{"<?xml version=\"1.0\"?>\n<Response><!-- x --><Say voice=\"a&amp;b\">Rock &amp; <![CDATA[<roll>]]></Say><Dial><Sip>s</Sip></Dial></Response>\n", []controltest.Element{
			{Name: "Say", Attributes: map[string]string{"voice": "a&b"}, Text: "Rock & <roll>"},
			{Name: "Dial", Attributes: map[string]string{}, Children: []controltest.Element{{Name: "Sip", Attributes: map[string]string{}, Text: "s"}}},
		}},
		{``, nil},
		{`hang up`, nil},
		{`<html/>`, nil},
		{`<Response>`, nil},
		{`<Response/><Response/>`, nil},
		{`<Response><Say></Response>`, nil},
		{`<Response>&x;</Response>`, nil},
	} {
		srv := controltest.NewInMemory(ours)
		srv.AddCall("AC1", "CA1")
		var seen []controltest.Update
		srv.OnUpdate(func(u controltest.Update) { seen = append(seen, u) })
		if _, err := ask(t, srv, "POST", path, "AC1", "t0ken", url.Values{"Twiml": {tt.text}}.Encode()); err != nil {
			t.Fatal(err)
		}
		srv.Close()
		if len(seen) != 1 || seen[0].TwiML == nil {
			t.Errorf("%s: got %+v, want one update with instructions", tt.text, seen)
			continue
		}
		if got := seen[0].TwiML; (got.Err != nil) != (tt.want == nil) || seen[0].Ended != (tt.want == nil) || len(got.Verbs)+len(tt.want) > 0 && !reflect.DeepEqual(got.Verbs, tt.want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", tt.text, got, tt.want)
		}
	}
}

func Example() {
	srv := controltest.New(controltest.Account{SID: "AC1", AuthToken: "t0ken"})
	defer srv.Close()
	srv.AddCall("AC1", "CA1")
	srv.Script(controltest.TooMany("")) // the first update is one too many

	for range 2 {
		form := url.Values{"Status": {"completed"}}
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, srv.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			panic(err)
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.SetBasicAuth("AC1", "t0ken")
		client := http.Client{Transport: srv.Transport()}
		resp, err := client.Do(req)
		if err != nil {
			panic(err)
		}
		resp.Body.Close()
		call, _ := srv.Call("CA1")
		fmt.Println(resp.Status, call.Status)
	}
	// Output:
	// 429 Too Many Requests in-progress
	// 200 OK completed
}
