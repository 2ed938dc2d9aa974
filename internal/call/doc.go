// Package call turns one phone call's audio into events and executes the actions that steer the call.
//
// A Call connects a carrier's media stream with a recognizer. The owner of the stream calls Audio for each piece of each
// speaker's audio, DTMF for each key, and End once. The Call opens one Transcriber for each speaker, passes it the audio,
// assembles utterances from its results, and stores each event in the journal before it passes the event to
// Config.Observe.
//
// Audio and DTMF never block, neither on the recognizer nor on the journal. All events of a call go through one queue, so they
// have one order: call.started first, and call.ended last and once. If the caller hangs up in mid-sentence, the unfinished
// utterances come before call.ended.
//
// The package depends on neither sockets nor databases. It uses them through the small interfaces in call.go, for which the
// server provides adapters.
//
// A call has one goroutine for each speaker, which reads the Transcriber, and one more while events wait to be stored.
package call
