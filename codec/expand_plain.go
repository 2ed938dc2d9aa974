//go:build !goexperiment.simd || !amd64

package codec

// A Room is what an Expander works in. It holds nothing between two calls, so that several can share one by turns.
type Room struct{ pairs pairs }

// expandVector is the way for processors with vector instructions. Here there is none.
func (*Room) expandVector(*[pairTail]int16, []byte, []byte) bool { return false }
