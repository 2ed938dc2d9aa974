package codec

import (
	"fmt"
	"time"
)

// A Resampler changes the sample rate of a stream, for one direction of one call. The output is the same to the
// bit however the input is cut.
//
// The zero value passes audio through unchanged. A Resampler must not be used concurrently.
type Resampler struct {
	filter filter // nil: pass-through
	delay  time.Duration
	tail   int // input samples until the last one's last trace is out
}

// A filter is a Resampler's arithmetic for one pair of rates.
type filter interface {
	resample(dst, src []int16) []int16
	reset()
}

// NewResampler returns a Resampler from one rate to another: 8000 to 16000, from 16000, 24000 or 48000 to 8000, or
// between equal rates, which changes nothing. The error is an ErrRate that names these.
func NewResampler(from, to Rate) (*Resampler, error) {
	switch {
	case from == to && from > 0:
		return &Resampler{}, nil
	case from == 8000 && to == 16000:
		return &Resampler{filter: new(doubler), delay: delay(halfBandDelay, to), tail: halfBandTaps - 1}, nil
	case from == 16000 && to == 8000:
		return newDecimator(from, 2, halfBandDecimator()), nil
	case from == 24000 && to == 8000:
		return newDecimator(from, 3, lowPass{center: down3[0], side: down3[1:], step: 1, shift: 18}), nil
	case from == 48000 && to == 8000:
		return newDecimator(from, 6, lowPass{center: down6[0], side: down6[1:], step: 1, shift: 18}), nil
	}
	return nil, fmt.Errorf("codec: resample %d to %d Hz: %w: possible are 8000 to 16000, 16000 to 8000, 24000 to 8000, "+
		"48000 to 8000, and equal rates", from, to, ErrRate)
}

// Delay is how much later a sound is in the output than in the input, at most 3 ms. It is the same at all
// frequencies.
func (r *Resampler) Delay() time.Duration { return r.delay }

// Resample appends the output for some more input to dst and returns it. It allocates only when dst has no
// room. dst and src must not overlap.
func (r *Resampler) Resample(dst, src []int16) []int16 {
	if r.filter == nil {
		return append(dst, src...)
	}
	return r.filter.resample(dst, src)
}

// Flush appends what the last samples still have to say, twice Delay, and makes the Resampler as new.
func (r *Resampler) Flush(dst []int16) []int16 {
	var silence [64]int16
	for n := r.tail; n > 0; n -= len(silence) {
		dst = r.Resample(dst, silence[:min(n, len(silence))])
	}
	r.Reset()
	return dst
}

// Reset forgets all input, so that the Resampler is as new.
func (r *Resampler) Reset() {
	if r.filter != nil {
		r.filter.reset()
	}
}
