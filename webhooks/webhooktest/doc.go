// Package webhooktest is a webhook endpoint for tests. It verifies and stores requests, and answers by script.
//
// It is to a sender of webhooks what net/http/httptest is to a client:
//
//	srv := webhooktest.New(secret)
//	defer srv.Close()
//	srv.Script(func(r webhooktest.Request) webhooktest.Answer {
//		if r.Attempt == 1 {
//			return webhooktest.Status(503)
//		}
//		return webhooktest.OK()
//	})
//	… send events to srv.URL …
//	err := srv.Wait(ctx, func(got []webhooktest.Request) bool { return len(got) == 2 })
//	err = srv.Report().Err()
//
// An Endpoint is the http.Handler; it can be mounted anywhere. Requests follow Standard Webhooks 1.0.0 with symmetric
// secrets. Signatures are verified here with plain HMAC, independently of the sender's code. A request that does not
// verify is stored and answered 401.
//
// The judge checks the order of the requests: it stores the highest sequence of each call, and counts gaps, repeats
// and disorder. Report returns its result.
//
// Answers can have faults: a reset, half a body, a body that stalls or never ends. Delays are made with channels that
// the test closes, never with sleeps, so everything also works in a bubble of testing/synctest; NewInMemory returns a
// server without a socket for that.
package webhooktest
