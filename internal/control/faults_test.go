package control_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/internal/control"
	"aldeabridge/internal/control/controltest"
)

const unknown = "; whether it was done is not known"

// faults has the faults of a server and their result for a hang-up, which is idempotent, and for the other actions.
var faults = []struct {
	name   string
	script []controltest.Fault
	world  func(rig)
	edit   func(*control.Config)

	hangup, other       string // the errors, without what was asked for; empty for none
	attempts, hangTries int
	doneOther, doneHang int
	after, hangAfter    time.Duration
}{
	{name: "nothing", attempts: 1, hangTries: 1, doneOther: 1, doneHang: 1},
	{
		name: "a wrong token", edit: func(c *control.Config) { c.AuthToken = "another" }, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 401, code 20003: Authenticate; the account SID and its auth token, or the API key and its secret, must belong together and be live",
		other:  "Twilio answered 401, code 20003: Authenticate; the account SID and its auth token, or the API key and its secret, must belong together and be live",
	},
	{
		name: "forbidden", script: []controltest.Fault{{Status: 403, Code: 20003, Message: "Account is\nsuspended: " + token}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 403, code 20003: Account is suspended: …; the account SID and its auth token, or the API key and its secret, must belong together and be live",
		other:  "Twilio answered 403, code 20003: Account is suspended: …; the account SID and its auth token, or the API key and its secret, must belong together and be live",
	},
	{
		name: "a call that is not known", world: func(r rig) { r.srv.Forget(callSID) }, attempts: 1, hangTries: 1,
		other: "Twilio answered 404, code 20404: The requested resource /2010-04-01/Accounts/…/Calls/" + callSID + ".json was not found; the call is over, or belongs to another account",
	},
	{
		name: "a call that is over", world: func(r rig) { r.srv.SetCall(account, callSID, controltest.Completed) }, attempts: 1, hangTries: 1,
		other: "Twilio answered 400, code 21220: Unable to update record: Call is not in-progress. Cannot redirect; the call is over",
	},
	{
		name: "somebody else's 404", script: []controltest.Fault{{Status: 404, Body: "<html>nginx</html>"}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 404: Not Found; that is not Twilio's API: the base URL must be right",
		other:  "Twilio answered 404: Not Found; that is not Twilio's API: the base URL must be right",
	},
	{
		name: "a redirect", script: []controltest.Fault{{Status: 307, Header: http.Header{"Location": {"https://elsewhere.example/"}}, Body: "no"}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 307: Temporary Redirect; that is not Twilio's API: the base URL must be right",
		other:  "Twilio answered 307: Temporary Redirect; that is not Twilio's API: the base URL must be right",
	},
	{
		name: "a refusal", script: []controltest.Fault{{Status: 400, Code: 21205}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 400, code 21205: Url is not a valid URL", other: "Twilio answered 400, code 21205: Url is not a valid URL",
	},
	{
		name: "a refusal whose code is no integer", script: []controltest.Fault{{Status: 400, Body: `{"code":"21205","message":"Url is not a valid URL"}`}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 400: Url is not a valid URL", other: "Twilio answered 400: Url is not a valid URL",
	},
	{
		name: "one 429", script: []controltest.Fault{controltest.TooMany("")}, attempts: 2, hangTries: 2, doneOther: 1, doneHang: 1,
		after: 250 * time.Millisecond, hangAfter: 250 * time.Millisecond,
	},
	{
		name: "a 429 that says when", script: []controltest.Fault{controltest.TooMany("3")}, attempts: 2, hangTries: 2, doneOther: 1, doneHang: 1,
		after: 3 * time.Second, hangAfter: 3 * time.Second,
	},
	{
		name: "a 429 that says nonsense", script: []controltest.Fault{controltest.TooMany("-1"), controltest.TooMany("soon")}, attempts: 3, hangTries: 3, doneOther: 1, doneHang: 1,
		after: 750 * time.Millisecond, hangAfter: 750 * time.Millisecond,
	},
	{
		name: "a 429 that asks for too long", script: []controltest.Fault{controltest.TooMany("60")}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 429, code 20429: Too Many Requests", other: "Twilio answered 429, code 20429: Too Many Requests",
	},
	{
		name: "nothing but 429", script: repeat(controltest.TooMany(""), 4), attempts: 4, hangTries: 4,
		hangup: "Twilio answered 429, code 20429: Too Many Requests; tried 4 times", other: "Twilio answered 429, code 20429: Too Many Requests; tried 4 times",
		after: 1750 * time.Millisecond, hangAfter: 1750 * time.Millisecond,
	},
	{
		name: "one 500", script: []controltest.Fault{{Status: 500, Code: 20500}}, attempts: 1, hangTries: 2, doneHang: 1,
		other: "Twilio answered 500, code 20500: An internal server error has occurred" + unknown, hangAfter: 250 * time.Millisecond,
	},
	{
		name: "a 500 that did it", script: []controltest.Fault{{Status: 500, Code: 20500, Done: true}}, attempts: 1, hangTries: 2, doneOther: 1, doneHang: 1,
		other: "Twilio answered 500, code 20500: An internal server error has occurred" + unknown, hangAfter: 250 * time.Millisecond,
	},
	{
		name: "a proxy's 503 that says when", script: []controltest.Fault{{Status: 503, Body: "<html>", Header: http.Header{"Retry-After": {"2"}}}}, attempts: 1, hangTries: 2, doneHang: 1,
		other: "Twilio answered 503: Service Unavailable" + unknown, hangAfter: 2 * time.Second,
	},
	{
		name: "nothing but 503", script: repeat(controltest.Fault{Status: 503, Code: 20503}, 4), attempts: 1, hangTries: 4,
		hangup: "Twilio answered 503, code 20503: Service unavailable; tried 4 times" + unknown,
		other:  "Twilio answered 503, code 20503: Service unavailable" + unknown, hangAfter: 1750 * time.Millisecond,
	},
	{
		name: "one silence", script: []controltest.Fault{{Break: controltest.Silent}}, attempts: 1, hangTries: 2, doneHang: 1,
		other: "no answer from Twilio within 5s" + unknown, after: 5 * time.Second, hangAfter: 5250 * time.Millisecond,
	},
	{
		name: "silence after it was done", script: []controltest.Fault{{Break: controltest.Silent, Done: true}}, attempts: 1, hangTries: 2, doneOther: 1, doneHang: 1,
		other: "no answer from Twilio within 5s" + unknown, after: 5 * time.Second, hangAfter: 5250 * time.Millisecond,
	},
	{
		name: "nothing but silence", script: repeat(controltest.Fault{Break: controltest.Silent}, 4), attempts: 1, hangTries: 3,
		hangup: "no answer from Twilio within 4.3s; tried 3 times" + unknown, // the context ends after 15 s
		other:  "no answer from Twilio within 5s" + unknown, after: 5 * time.Second, hangAfter: 15 * time.Second,
	},
	{
		name: "a cut connection", script: []controltest.Fault{{Break: controltest.Cut}}, attempts: 1, hangTries: 2, doneHang: 1,
		other: "the connection to Twilio broke before the answer" + unknown, hangAfter: 250 * time.Millisecond,
	},
	{
		name: "half an answer", script: []controltest.Fault{{Break: controltest.CutBody, Done: true}}, attempts: 1, hangTries: 2, doneOther: 1, doneHang: 1,
		other: "Twilio answered 200: its answer cannot be read" + unknown, hangAfter: 250 * time.Millisecond,
	},
	{
		name: "half a refusal", script: []controltest.Fault{{Status: 404, Code: 20404, Message: "not found", Break: controltest.CutBody}}, attempts: 1, hangTries: 2, doneHang: 1,
		other: "Twilio answered 404: its answer cannot be read", hangAfter: 250 * time.Millisecond,
	},
	{
		name: "an answer that stands still", script: []controltest.Fault{{Break: controltest.SlowBody, Done: true}}, attempts: 1, hangTries: 2, doneOther: 1, doneHang: 1,
		other: "Twilio answered 200: its answer cannot be read" + unknown, after: 5 * time.Second, hangAfter: 5250 * time.Millisecond,
	},
	{
		name: "a page instead of JSON", script: repeat(controltest.Fault{Body: "<html>log in</html>"}, 4), attempts: 1, hangTries: 2, doneOther: 1, doneHang: 1,
		other: "Twilio answered 200: its answer cannot be read" + unknown, hangAfter: 250 * time.Millisecond, // the second hang-up shows that the first succeeded
	},
	{
		name: "a refusal without end", script: []controltest.Fault{{Status: 400, Body: `{"code":21205,"message":"` + strings.Repeat("x", 1<<20) + `"}`}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 400: Bad Request", other: "Twilio answered 400: Bad Request",
	},
	{
		name: "a long refusal", script: []controltest.Fault{{Status: 400, Code: 21205, Message: strings.Repeat("é", 1000)}}, attempts: 1, hangTries: 1,
		hangup: "Twilio answered 400, code 21205: " + strings.Repeat("é", 300) + "…", other: "Twilio answered 400, code 21205: " + strings.Repeat("é", 300) + "…",
	},
}

func repeat(f controltest.Fault, n int) []controltest.Fault {
	var all []controltest.Fault
	for range n {
		all = append(all, f)
	}
	return all
}

// Only a hang-up is retried after every transient fault. The other actions are retried only if Twilio did not execute them.
func TestEveryActionMeetsEveryFault(t *testing.T) {
	for _, tt := range faults {
		for i, a := range all {
			t.Run(fmt.Sprintf("%s/%s %d", tt.name, a.name, i), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					r := newRig(t, tt.edit)
					defer r.close(t)
					if tt.world != nil {
						tt.world(r)
					}
					r.srv.Script(tt.script...)
					text, tries, done, after := tt.other, tt.attempts, tt.doneOther, tt.after
					if a.twice {
						text, tries, done, after = tt.hangup, tt.hangTries, tt.doneHang, tt.hangAfter
					}
					ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
					defer cancel()
					began := time.Now()
					err := a.do(ctx, r.Twilio)
					if took := time.Since(began); took != after {
						t.Errorf("took %v, want %v", took, after)
					}
					if text == "" && err != nil {
						t.Errorf("got %v, want no error", err)
					} else if text != "" {
						wantFailure(t, err, a.name+": "+text)
					}
					if got := len(r.srv.Requests()); got != tries {
						t.Errorf("%d requests, want %d", got, tries)
					}
					if got := r.done(); got != done {
						t.Errorf("the call was updated %d times, want %d", got, done)
					}
				})
			})
		}
	}
}
