// Package media implements the server side of Twilio Media Streams: it receives the audio of phone calls over WebSockets
// and sends audio, marks and clears.
//
// A Server registers its routes on a Fiber router. It rejects unauthenticated requests before the
// upgrade, reads the start message, and then calls Serve with a Stream. Serve runs the call: it calls Stream.Receive, which
// reads until the end of the stream and passes audio, keys and marks to a Receiver.
//
//	s := &media.Server{
//		PublicURL:  "https://bridge.example.com",
//		AuthTokens: []media.Secret{"…"},
//		Serve: func(ctx context.Context, st *media.Stream) {
//			reason := st.Receive(ctx, receiver)
//			…
//		},
//	}
//	s.Register(app)
//
// # Audio
//
// Audio is G.711 µ-law, 8000 Hz, mono: one byte a sample, 125 µs each. Every track is one continuous time
// line counted in samples from the call's first sample. Frames are placed by the carrier's timestamp. Missing audio becomes
// silence, duplicate and late frames are dropped and counted, and when the carrier sends nothing at all, silence is
// inserted by the wall clock.
//
// # Ticks
//
// If the app listens through Server.Listener, on Linux, a stream is not read as each message arrives but at ticks: all data
// since the last tick is read at once. Its socket is removed from the poller of the Go runtime, so that arriving data wakes
// no goroutine. A Receiver gets the same calls, later by at most one tick.
//
// # Goroutines
//
// A stream is read in the goroutine that runs Serve. With Server.Listener on Linux that is a separate
// goroutine, which takes the connection over from the HTTP server, so that the handler returns and the memory that server
// and library hold for a connection is freed; Shutdown waits for it. Otherwise it is the goroutine of the WebSocket
// handler. Each stream has two timers, one for silence and timeouts and one for pings, whose functions run briefly in
// goroutines of their own. The reader blocks on the network only: the ping timer sends pongs, and a Receiver must not block.
// A panic in any of these goroutines ends its stream with EndInternal.
//
// The library does the handshake. Frames are read and written here, in pooled buffers that no stream holds while it waits.
package media
