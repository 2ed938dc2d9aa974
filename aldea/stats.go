package aldea

import "time"

// Stats are the counters of one stream. Durations are audio time.
type Stats struct {
	// Connected says whether a connection is open now.
	Connected bool
	// Received is when the last message, ping or pong of the recognizer came; zero if none has. A ping follows
	// each Finalize, so Received tells a recognizer that does not answer it from a connection that is dead.
	Received time.Time
	// Host is the host of the latest connection.
	Host string
	// RequestID is the recognizer's id of the latest connection, as far as it told.
	RequestID string

	// Connections counts the handshakes that succeeded, Failures the attempts that did not.
	Connections, Failures int64
	// Lost counts the established connections that ended before the stream did.
	Lost int64
	// Stalled counts those of them on which nothing came back, Moved the connections that were left for a
	// better host.
	Stalled, Moved int64

	// Written is the length of the source, Sent the audio sent on all connections together, and Replayed
	// the part of it that had been sent before.
	Written, Sent, Replayed time.Duration
	// Settled is the time up to which the audio needs no replay: the end of the last final result, or
	// silence after it.
	Settled time.Duration
	// Gap is the audio lost because the buffer could not hold it. What is lost with ErrUnfinished is not in it.
	Gap time.Duration
	// Backlog is the audio written but not yet sent on the present connection.
	Backlog time.Duration

	// Interims and Finals count the results that came.
	Interims, Finals int64
	// Repeated counts final results that a replay brought again and the stream left out.
	Repeated int64
	// Dropped counts interim results that Next was too slow for.
	Dropped int64
	// Malformed counts messages that could not be parsed, Unknown those of unknown types, and Odd those that were
	// not as documented but could be used.
	Malformed, Unknown, Odd int64
	// KeepAlives counts the KeepAlive messages sent.
	KeepAlives int64
}
