//go:build !goexperiment.simd || !amd64

package codec

// lanes is what the vector way would work in.
type lanes struct{}

// expandVector is the way for processors with vector instructions. Here there is none.
func (*Room) expandVector(*[pairTail]int16, []byte, []byte) bool { return false }
