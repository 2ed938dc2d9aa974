// Package call is the life of one phone call.
//
// A Call stands between a carrier's media stream and a recognizer and turns audio into events. Whoever holds
// the stream feeds it: Audio for each piece of each speaker's time line, DTMF for each key, End once. The
// Call opens one Transcriber for each speaker at once, hands the audio on, makes utterances of what comes
// back, and stores each event in the journal before anybody else hears of it.
//
// Audio and DTMF never wait: not for the recognizer, not for the journal. What a call has to say leaves
// through one queue, so its events have one order: call.started first, call.ended last and once, and each
// utterance of a caller who hangs up in mid-sentence before that.
//
// The package knows neither sockets nor databases. What it needs of them are the small interfaces in
// call.go; the program that wires a server brings the adapters.
//
// A call costs one goroutine for each speaker, which reads the Transcriber, and one more only while there is
// something to store.
package call
