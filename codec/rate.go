package codec

import (
	"errors"
	"time"
)

// A Rate is a sample rate in Hz.
type Rate int

// ErrRate means that a sample rate, or a pair of them, is not one that can be worked with.
var ErrRate = errors.New("codec: sample rate not possible")

// Duration is how long n samples last. It is right for any recording shorter than a day.
func (r Rate) Duration(n int64) time.Duration {
	return time.Duration(n/int64(r))*time.Second + time.Duration(n%int64(r))*time.Second/time.Duration(r)
}

// delay is n samples at rate r as a time.
func delay(n int, r Rate) time.Duration { return r.Duration(int64(n)) }
