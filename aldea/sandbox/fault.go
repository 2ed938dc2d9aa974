package sandbox

import "time"

// A Fault is how one connection misbehaves. The zero value is a healthy connection.
type Fault struct {
	// HandshakeDelay is how long the server waits before it answers the upgrade.
	HandshakeDelay time.Duration
	// DropAfter cuts the connection without a close frame once this much audio has been heard, to the
	// sample; what was due by then has been sent. Zero means never.
	DropAfter time.Duration
}

// fault picks the fault of the n-th handshake, counted from 0.
func (o *Options) fault(n int) Fault {
	if n < len(o.Plan) {
		return o.Plan[n]
	}
	return o.Fault
}
