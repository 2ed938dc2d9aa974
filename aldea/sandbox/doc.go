// Package sandbox is the recognizer's stand-in: a speech-to-text server for tests and for trying things out
// with no account, no key and no network.
//
// It speaks the streaming protocol of Aldea's /v1/listen (and, by Profile, Deepgram's dialect of it), and it is
// used like net/http/httptest:
//
//	srv := sandbox.New(sandbox.Options{Source: sandbox.Script(sandbox.Say(200*time.Millisecond, "hello world"))})
//	defer srv.Close()
//	// dial srv.URL + "/v1/listen"
//
// What it hears comes from a Source. Script maps audio time to words and never listens to the audio itself;
// Marker reads words that the audio carries as tones, so that lost or doubled audio shows in the text; Speech
// is real offline recognition of low accuracy by a program of its own. Another engine is two small
// interfaces: Source and Recognizer.
//
// # Time
//
// Every time in every message is counted in samples received, never read from a clock: while no audio
// arrives, time stands still, and the same bytes give the same messages however they are cut. The
// exceptions are the idle time-out, the "created" stamp of Metadata, and those faults that are about the clock: latency,
// outages, the speed limit. Audio in a compressed container is decoded by ffmpeg, whose own buffering then decides
// when samples count as received.
//
// # Faults
//
// A Fault is how one connection misbehaves: its handshake, its end, the shape of its messages, strange messages,
// and delays. Options.Plan gives the first connections theirs in order, Options.Next asks a function, Options.Fault is
// for the rest:
//
//	plan, err := sandbox.ParseFaults("drop=3.2s; 2x status=503 retry-after=2s; ok")
//
// SetFaults, Faults and Heal change and show them while the server runs. So does HTTP, at /control/faults, with one of
// Options.Keys if there are any:
//
//	GET     shows the present faults
//	POST    replaces them: {"plan":["drop=3.2s",{"status":503}],"fault":{"words":"objects"},"outage":{"for":"20s"}}
//	DELETE  heals: later connections are healthy, and from now on those that run
//
// All three answer with the faults as they are then, a POST that is not understood with 400 and {"error":…}. A fault is
// an object with the settings' names or a string in the form of ParseFaults; what POST does not mention is healthy.
// Inspection shows the fault that each connection was dealt.
//
// ProfileMixed and Fault.Mixed write every message in a random legal variant of either dialect. The same seed, handshake
// and audio give the same messages.
//
// # Simulated time
//
// NewInMemory inside testing/synctest plays all of this in no time at all. There, a reset is a pipe that is cut.
//
// # Goroutines
//
// A connection has a reader, which only fills a bounded queue, and a worker, which decodes, recognizes and is the
// only one to write messages. A slow recognizer therefore delays results, not the reader, until the queue is full;
// then reading waits, and with it the client. Close ends every connection and waits for its goroutines and
// child processes.
//
// # Wire format
//
// The JSON is written by hand and shares no type with any client: a shared struct with a wrong tag would
// agree with itself.
package sandbox
