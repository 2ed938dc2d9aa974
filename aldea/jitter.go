package aldea

import (
	"math/rand/v2"
	"time"
)

// A jitter is Config.Random. It keeps clients from doing things in step. Nil is the generator of the process.
type jitter func() float64

// upTo returns a random time from 0 up to, but not including, span, which must be more than 0.
func (j jitter) upTo(span time.Duration) time.Duration {
	if j == nil {
		return rand.N(span)
	}
	return time.Duration(j() * float64(span))
}
