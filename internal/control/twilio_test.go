package control_test

import (
	"context"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/internal/control"
	"aldeabridge/internal/control/controltest"
)

// update updates a call and returns the Update that Twilio received.
func update(t *testing.T, edit func(*control.Config), do func(context.Context, *control.Twilio) error) (controltest.Call, []controltest.Request) {
	t.Helper()
	r := newRig(t, edit)
	defer r.close(t)
	if err := do(t.Context(), r.Twilio); err != nil {
		t.Fatalf("got %v, want no error", err)
	}
	c, _ := r.srv.Call(callSID)
	return c, r.srv.Requests()
}

func TestAnActionIsOneUpdate(t *testing.T) {
	const menu = `<Response><Say>Rock &amp; roll</Say></Response>`
	for _, tt := range []struct {
		name   string
		do     func(context.Context, *control.Twilio) error
		form   url.Values
		status controltest.Status
	}{
		{"hangup", all[0].do, url.Values{"Status": {"completed"}}, controltest.Completed},
		{"redirect", all[1].do, url.Values{"Url": {"https://example.com/next?a=1&b=2"}, "Method": {"POST"}}, controltest.InProgress},
		{"twiml", func(ctx context.Context, c *control.Twilio) error { return c.Twiml(ctx, callSID, menu) }, url.Values{"Twiml": {menu}}, controltest.InProgress},
		{"transfer", all[3].do, url.Values{"Twiml": {`<Response><Dial callerId="+15550100002"><Number>+15550100001</Number></Dial></Response>`}}, controltest.InProgress},
	} {
		c, requests := update(t, nil, tt.do)
		if len(requests) != 1 || requests[0].User != account || requests[0].Path != "/2010-04-01/Accounts/"+account+"/Calls/"+callSID+".json" {
			t.Errorf("%s: got requests %+v", tt.name, requests)
		}
		if len(c.Updates) != 1 || !reflect.DeepEqual(c.Updates[0].Form, tt.form) || c.Status != tt.status {
			t.Errorf("%s: got %+v\nwant the form %v and status %s", tt.name, c, tt.form, tt.status)
		}
	}
}

// The dialed address arrives unchanged, in one element: the test server parses the TwiML.
func TestATransferEscapesWhomItDials(t *testing.T) {
	for _, tt := range []struct{ to, callerID, noun, text string }{
		{"+15550100001", "", "Number", "+15550100001"},
		{"+15550100001", "+15550100002", "Number", "+15550100001"},
		{"sip:desk@pbx.example.com;transport=tls?X-Id=1&b=2", "", "Sip", "sip:desk@pbx.example.com;transport=tls?X-Id=1&b=2"},
		{"client:anna", "client:bot", "Client", "anna"},
		{`</Number></Dial><Hangup/><!--`, "", "Number", `</Number></Dial><Hangup/><!--`},
		{`sip:"<&'>]]>&amp;@example.com`, `"><Reject reason='busy`, "Sip", `sip:"<&'>]]>&amp;@example.com`},
		{"client:<![CDATA[x]]>&lt;", "", "Client", "<![CDATA[x]]>&lt;"},
		{"+1555\x00\xff", "", "Number", "+1555\ufffd\ufffd"},
	} {
		c, _ := update(t, nil, func(ctx context.Context, tw *control.Twilio) error {
			return tw.Transfer(ctx, callSID, tt.to, tt.callerID)
		})
		attributes := map[string]string{}
		if tt.callerID != "" {
			attributes["callerId"] = tt.callerID
		}
		want := &controltest.Document{Verbs: []controltest.Element{{
			Name: "Dial", Attributes: attributes,
			Children: []controltest.Element{{Name: tt.noun, Attributes: map[string]string{}, Text: tt.text}},
		}}}
		if got := c.Updates[0].TwiML; !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v", tt.to, got, want)
		}
	}
}

func TestAnAPIKeyStandsForTheToken(t *testing.T) {
	c, requests := update(t, func(c *control.Config) { c.AuthToken, c.KeySID, c.KeySecret = "", keySID, key }, all[0].do)
	if c.Status != controltest.Completed || requests[0].User != keySID {
		t.Errorf("got %+v by %+v, want it hung up by the key", c, requests)
	}
}

func TestABaseURLMayHaveAPath(t *testing.T) {
	r := newRig(t, func(c *control.Config) { c.AccountSID, c.BaseURL = "7b1c-project", "http://space.example/api/laml/" })
	defer r.close(t)
	_ = r.Hangup(t.Context(), callSID) // the server does not have this call
	if got, want := r.srv.Requests()[0].Path, "/api/laml/2010-04-01/Accounts/7b1c-project/Calls/"+callSID+".json"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// Invalid arguments are rejected without a request.
func TestNothingIsSentThatCannotBeRight(t *testing.T) {
	const noID = "the call's id is not a Twilio SID: only letters, digits, _ and - are allowed"
	r := newRig(t, nil)
	defer r.close(t)
	ctx := t.Context()
	for _, tt := range []struct {
		err  error
		want string
	}{
		{r.Hangup(ctx, ""), "hang up: " + noID},
		{r.Hangup(ctx, "../../Accounts"), "hang up: " + noID},
		{r.Hangup(ctx, "CA1?x=y"), "hang up: " + noID},
		{r.Hangup(ctx, "CA1%2f"), "hang up: " + noID},
		{r.Redirect(ctx, callSID, "/next"), "redirect: the URL must be http:// or https:// and have a host"},
		{r.Redirect(ctx, callSID, "file:///etc/passwd"), "redirect: the URL must be http:// or https:// and have a host"},
		{r.Redirect(ctx, callSID, "https://user:"+token+"@exa mple.com/"), "redirect: the URL must be http:// or https:// and have a host"},
		{r.Transfer(ctx, callSID, "", ""), `transfer: there is nobody to dial; a number such as "+15550100001", "sip:user@host" or "client:name" would be right`},
		{r.Transfer(ctx, callSID, "client:", ""), `transfer: there is nobody to dial; a number such as "+15550100001", "sip:user@host" or "client:name" would be right`},
		{r.Transfer(ctx, callSID, "sip:"+strings.Repeat("&", 1000), ""), "transfer: the TwiML has 5049 characters; Twilio takes at most 4000"},
		{r.Twiml(ctx, callSID, strings.Repeat("é", 4001)), "twiml: the TwiML has 4001 characters; Twilio takes at most 4000"},
	} {
		wantFailure(t, tt.err, tt.want)
	}
	if got := r.srv.Requests(); len(got) != 0 {
		t.Errorf("got %+v, want no request", got)
	}
}

// A second update of a call waits for the first; another call's does not.
func TestACallIsUpdatedByOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const other = "CA00000000000000000000000000000009"
		r := newRig(t, nil)
		defer r.close(t)
		r.srv.AddCall(account, other)
		first, goOn := make(chan struct{}), make(chan struct{})
		r.srv.OnUpdate(func(u controltest.Update) {
			if u.TwiML != nil {
				close(first)
				<-goOn
			}
		})
		results := make(chan error, 2)
		go func() { results <- r.Transfer(t.Context(), callSID, "+15550100001", "") }()
		<-first
		go func() { results <- r.Hangup(t.Context(), callSID) }()
		synctest.Wait()
		if err := r.Hangup(t.Context(), other); err != nil {
			t.Errorf("another call: got %v, want no error", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		wantFailure(t, r.Redirect(ctx, callSID, "https://example.com/"), "redirect: canceled while an earlier request for this call was in progress")
		close(goOn)
		for range 2 {
			if err := <-results; err != nil {
				t.Errorf("got %v, want no error", err)
			}
		}
		for _, request := range r.srv.Requests() {
			if request.Overlapped {
				t.Errorf("%v came while the call was being updated", request.Form)
			}
		}
		if c, _ := r.srv.Call(callSID); len(c.Updates) != 2 || c.Status != controltest.Completed {
			t.Errorf("got %+v, want it transferred, then hung up", c)
		}
	})
}

// Repeated hang-ups have one effect.
func TestHangingUpTwiceIsAsGoodAsOnce(t *testing.T) {
	r := newRig(t, nil)
	defer r.close(t)
	for range 3 {
		if err := r.Hangup(t.Context(), callSID); err != nil {
			t.Errorf("got %v, want no error", err)
		}
	}
	if got := r.done(); got != 1 {
		t.Errorf("the call was updated %d times, want once", got)
	}
}

func Example() {
	srv := controltest.New(controltest.Account{SID: "AC1", AuthToken: "s3cret"})
	defer srv.Close()
	srv.AddCall("AC1", "CA1")

	twilio, err := control.New(control.Config{AccountSID: "AC1", AuthToken: "s3cret", BaseURL: srv.URL})
	if err != nil {
		panic(err)
	}
	defer twilio.Close()
	ctx := context.Background()
	fmt.Println(twilio.Transfer(ctx, "CA1", "+15550100001", ""))
	fmt.Println(twilio.Hangup(ctx, "CA1"))
	fmt.Println(twilio.Hangup(ctx, "CA1")) // the call is over, which is no error
	fmt.Println(twilio.Transfer(ctx, "CA1", "+15550100001", ""))
	// Output:
	// <nil>
	// <nil>
	// <nil>
	// transfer: Twilio answered 400, code 21220: Unable to update record: Call is not in-progress. Cannot redirect; the call is over
}
