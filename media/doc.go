// Package media is the server's end of a carrier's media-stream WebSocket: phone audio comes in, and audio,
// marks and clears go out. It speaks Twilio Media Streams.
//
// A Server registers its routes on a Fiber router. It refuses strangers before the upgrade, reads the start
// message, and then calls Serve with a Stream. Serve runs the call: it calls Stream.Receive, which reads
// until the one end of the stream and tells a Receiver what comes in.
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
// line counted in samples from the call's first sample. Frames are placed by the carrier's timestamp. What
// is missing becomes silence, what comes twice or too late is dropped and counted, and when the carrier
// sends nothing at all, silence flows by the wall clock.
//
// # Ticks
//
// Where the app listens through Server.Listener, on Linux, a stream is not read as each message arrives but at ticks: what
// has come since the last one is read at once. Its socket leaves the poller of the Go runtime for that, so that
// nothing wakes up in between. What a Receiver is told is the same, but later by a tick at most.
//
// # Goroutines
//
// A stream is read in the goroutine that runs Serve. It takes the connection from the HTTP server, where that
// listens through Server.Listener on Linux, so that the handler returns and what server and library keep for a
// connection is free; Shutdown waits for it. Elsewhere it is the goroutine of the WebSocket handler. Two timers stand
// beside it, one for silence and time-outs and one for pings; they run briefly in goroutines of their own.
// The reader waits for the network only: it leaves pongs to the timer and the close frame to the end, and a
// Receiver must not block.
//
// The library shakes hands; frames are read and written here, in buffers that all streams share and that none holds
// while it waits.
package media
