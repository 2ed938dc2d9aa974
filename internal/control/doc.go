// Package control steers a live call through Twilio's REST API: what the media stream has no message for.
//
//	twilio, err := control.New(control.Config{AccountSID: account, AuthToken: token})
//	…
//	defer twilio.Close()
//	err = twilio.Transfer(ctx, call, "+15550100001", "")
//
// Each method is one update of the call's resource. Twilio then tears the call's media stream down and does what it was
// told. Updates of one call are made one after the other, in the order in which they were asked for.
//
// An update that is done twice starts twice: a second transfer would cut off the first one's ringing. So a request is
// repeated only where Twilio said that it did nothing (429), where it never got the request, or where twice is as good as
// once (Hangup). Otherwise the error says that it is not known whether it was done.
//
// The package imports nothing else of this project. Package control/controltest is a stand-in for Twilio.
package control
