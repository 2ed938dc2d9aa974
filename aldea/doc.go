// Package aldea is a streaming client of the Aldea speech recogniser that outlives the recogniser's failures.
//
// A Client holds the settings of one recogniser. Client.Open begins a Stream, one for each track of a call.
// Audio goes in as G.711 µ-law, 8000 samples a second, on a source time line: the time of a sample is the
// number of samples written before it. Results come out of Stream.Next on that same line:
//
//	client, err := aldea.NewClient(aldea.Config{URL: "wss://api.aldea.ai", Key: key})
//	…
//	stream := client.Open(ctx)
//	defer stream.Close()
//	go func() {
//		for frame := range frames {
//			stream.Write(frame)
//		}
//		stream.CloseSend()
//	}()
//	for {
//		message, err := stream.Next(ctx)
//		if errors.Is(err, io.EOF) {
//			break
//		}
//		…
//	}
//
// # What a stream promises
//
// Open returns at once and dials in the background. Audio that is written meanwhile waits in a ring buffer
// and goes out as soon as the recogniser answers. When an established connection is lost, the stream
// connects again and sends once more from the end of the last final result, so that speech which was sent
// but never transcribed is heard after all. A connection counts its own time from zero; the stream keeps
// for each of them which source sample every stretch began with, so results stay on the source line
// whatever happened underneath. What the ring buffer could not hold is reported as a *Gap, never silently.
//
// # Order and blocking
//
// Write, Finalize and CloseSend never wait for the network. Messages come from Next in the order in which
// the recogniser sent them. A consumer that stops calling Next makes the stream drop interim results, which
// the next one replaces anyway, and then stop reading; it never makes Write wait.
//
// # Goroutines
//
// A connected stream has two: one owns all writes to the socket, one reads. Both have ended when Close
// returns, or when Next has returned an error that is not its context's.
//
// The protocol is the one Aldea documents and Deepgram's live API defined; where the two differ in the
// shape of a message, both shapes are read.
package aldea
