// Package controltest is a Twilio whose calls can be steered: the part of its REST API that updates a live call.
//
// It is to a client of that API what net/http/httptest is to a client of HTTP:
//
//	srv := controltest.New(controltest.Account{SID: "AC1", AuthToken: "secret"})
//	defer srv.Close()
//	srv.AddCall("AC1", "CA1")
//	srv.OnUpdate(func(u controltest.Update) { … the carrier ends the media stream … })
//	… have a client update the call at srv.URL …
//	call, _ := srv.Call("CA1") // call.Status is "completed", call.Updates are what was done to it
//
// A Twilio is the http.Handler inside; it can be mounted anywhere. It serves
//
//	POST /2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}.json  Status, or Url and Method, or Twiml
//	GET  /2010-04-01/Accounts/{AccountSid}/Calls/{CallSid}.json
//
// under Basic authentication by an account's SID and token, or by one of its API keys. Refusals are the JSON that Twilio
// sends, with its codes: 20003 (who are you), 20404 (no such call), 21220 (the call is over), 32018 (too much TwiML) and others.
// A call that was given instructions is still in progress; what they say is read (Update.TwiML), not done.
//
// Script makes the next answers go wrong: refusals, a connection that is cut, an answer that stands still, with the update
// done or not. Nothing here sleeps, so that all of it works in a bubble of testing/synctest; NewInMemory gives a server
// without a socket for that.
package controltest
