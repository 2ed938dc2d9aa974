package mediatest

import "time"

const (
	// loud is the least power of a frame that begins a burst: -40 dB of full scale.
	loud = 328 * 328
	// hush is how long it must have been quiet before.
	hush = 200 * time.Millisecond
)

// A listener finds the beginnings of bursts in a track.
type listener struct {
	quiet time.Duration // how long it has been quiet
}

// hear takes a frame and tells whether a burst begins in it.
func (l *listener) hear(mulaw []byte, length time.Duration) bool {
	sum := 0
	for _, b := range mulaw {
		a := magnitude(b)
		sum += a * a
	}
	if len(mulaw) == 0 || sum <= loud*len(mulaw) {
		l.quiet += length
		return false
	}
	begins := l.quiet >= hush
	l.quiet = 0
	return begins
}

// magnitude is the sample that a µ-law byte stands for, without its sign (ITU-T G.711).
func magnitude(b byte) int {
	b = ^b
	return (int(b&0x0F)<<3+0x84)<<(b>>4&7) - 0x84
}
