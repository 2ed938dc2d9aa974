// Package control changes a live call through Twilio's REST API, for actions that Media Streams cannot express.
//
//	twilio, err := control.New(control.Config{AccountSID: account, AuthToken: token})
//	…
//	defer twilio.Close()
//	err = twilio.Transfer(ctx, call, "+15550100001", "")
//
// Each method updates the call's resource. Twilio then ends the call's media stream and executes the update. Updates of one
// call are sent one at a time, in the order of the method calls.
//
// Most updates are not idempotent: a second transfer would cut off the first one's ringing. So a request is retried only if
// Twilio refused it with 429, if it never reached Twilio, or if it is idempotent (Hangup). Otherwise the error's Unknown field
// says that the outcome is unknown.
//
// The package imports nothing else of this project. Package control/controltest is a stand-in for Twilio.
package control
