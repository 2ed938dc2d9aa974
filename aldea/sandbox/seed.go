package sandbox

import "math/rand/v2"

// What random numbers are for: each use has a sequence of its own, so that one does not disturb another.
const (
	forShapes = iota + 1
	forLatency
)

// random is the sequence of one connection for one use.
func (o *Options) random(t turn, use uint64) *rand.Rand {
	if t.fault.Seed != 0 {
		return rand.New(rand.NewPCG(t.fault.Seed, use))
	}
	return rand.New(rand.NewPCG(o.Seed, uint64(t.handshake)<<8|use))
}
