// Package mediatest simulates a carrier that calls a media server with Twilio Media Streams, for tests, load and
// demonstrations.
//
// A Call plays µ-law audio at its real pace, both tracks if wanted, presses keys, plays back what the server
// sends (by a clock, not by a loudspeaker), echoes marks when their time has come, and hangs up in
// several ways. Frames can be lost, late, doubled or swapped, marks and clears lost, late or repeated, all decided
// by a seed. What the caller heard can be kept, on a time line with what he said.
//
//	call := mediatest.Call{URL: "ws://127.0.0.1:8080/media/twilio", Inbound: mulaw}
//	result, err := call.Run(ctx)
//
// The wire format is implemented here separately from the server's code, so that a mistake in one is detected by the
// other.
package mediatest
