// Package webhooktest is an endpoint for webhooks that checks what it gets, keeps it, and answers by script.
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
// An Endpoint is the http.Handler inside; it can be mounted anywhere. Requests are those of Standard Webhooks
// 1.0.0, symmetric: each signature is verified here with plain HMAC, so that a sender cannot agree with its
// own mistake. A request that does not verify is kept and answered 401.
//
// The judge looks at every request as it arrives and holds the sender to order: it keeps the highest sequence
// of each call, and counts gaps, repeats and disorder. Report tells its verdict.
//
// Answers can also be rude: a reset, half a body, a body that stands still or never ends. Delays are made by
// channels that the test closes, never by sleeping, so that everything here also works in a bubble of
// testing/synctest; NewInMemory gives a server without a socket for that.
package webhooktest
