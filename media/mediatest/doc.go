// Package mediatest is a carrier that calls a media server: the other end of Twilio Media Streams, for
// tests, load and demonstrations.
//
// A Call plays µ-law audio at its real pace, both tracks if wanted, presses keys, plays back what the server
// sends (by a clock, not by a loudspeaker), echoes marks when their time has come, and hangs up in
// several ways. Frames can be lost, late, doubled or swapped, marks and clears lost, late or repeated, all decided
// by a seed. What the caller heard can be kept, on a time line with what he said.
//
//	call := mediatest.Call{URL: "ws://127.0.0.1:8080/media/twilio", Inbound: mulaw}
//	result, err := call.Run(ctx)
//
// The wire is written by hand here and shares nothing with the server's code: a mistake there does not
// agree with itself.
package mediatest
