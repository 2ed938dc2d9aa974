// Package aldea is a streaming client of the Aldea speech recognizer that outlives the recognizer's failures.
//
// A Client holds the settings of one recognizer. Client.Open begins a Stream, one for each track of a call.
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
// Open returns at once and dials in the background. Audio that is written before the connection is open waits in a ring buffer
// and goes out as soon as the recognizer answers. When an established connection is lost, the stream
// connects again and sends once more from the end of the last final result, so that speech which was sent
// but never transcribed is heard after all. A connection counts its own time from zero; the stream keeps
// for each of them which source sample every stretch began with, so results stay on the source line
// whatever happened underneath. What the ring buffer could not hold is reported as a *Gap, never silently,
// and *Degraded and *Recovered tell when the recognizer is out of reach.
//
// # Many streams, several hosts
//
// The streams of a Client share what they learn about a host. After several failed attempts in a row it counts
// as being in an outage, and all streams together make four attempts a second; when it answers again, fifteen
// a second, so that a hundred streams that lost it together do not return together. A host that asks for
// patience with Retry-After is left in peace by all. Config.MaxConnections makes streams wait for each other.
//
// Config.URL may list several hosts. A stream goes to the first that is believed to work, and on to the next
// when that fails. While it is served by a worse one, the client finds out when a better one is back, and the
// stream goes there in a silence, when all that was said is final and nothing has to be sent again.
// Client.Health tells how the hosts are.
//
// # Order and blocking
//
// Write, Finalize and CloseSend never wait for the network. Messages come from Next in the order in which
// the recognizer sent them. A consumer that stops calling Next makes the stream drop interim results, which
// the next one replaces anyway, and then stop reading; it never makes Write wait.
//
// # Goroutines
//
// A stream has two: one owns all writes to the socket, the other dials and then reads. Both have ended when
// Close returns, or when Next has returned an error that is not its context's. A Client has one while it
// waits for a better host; it ends with the last stream.
//
// The protocol is the one Aldea documents and Deepgram's live API defined; where the two differ in the
// shape of a message, both shapes are read.
package aldea
