// Package sandbox is the recogniser's stand-in: a speech-to-text server for tests and for trying things out
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
// arrives, time stands still, and the same bytes give the same messages however they are cut. The two
// exceptions are the idle time-out and the "created" stamp of Metadata. Audio in a compressed container is decoded
// by ffmpeg, whose own buffering then decides when samples count as received.
//
// # Goroutines
//
// A connection has a reader, which only fills a bounded queue, and a worker, which decodes, recognises and is the
// only one to write messages. A slow recogniser therefore delays results, not the reader, until the queue is full;
// then reading waits, and with it the client. Close ends every connection and waits for its goroutines and
// child processes.
//
// # Wire format
//
// The JSON is written by hand and shares no type with any client: a shared struct with a wrong tag would
// agree with itself.
package sandbox
