package aldea

import "time"

const (
	// intakeRate is how many bytes of messages a server may send in a second, and intakeBurst how many at once: a
	// hundred times what speech needs, and the results of a minute of audio that was sent as fast as possible.
	intakeRate  = 256 << 10
	intakeBurst = 4 << 20
	// intakeMessage is what a message counts beside its length.
	intakeMessage = 512
)

// An intake bounds how fast the messages of one stream are read. A server that sends more has to wait, as the
// socket's buffer is full.
type intake struct {
	left float64 // bytes that may come at once
	at   time.Time
}

// take notes a message and returns how long to wait before the next is read.
func (i *intake) take(length int, now time.Time) time.Duration {
	i.left = min(intakeBurst, i.left+now.Sub(i.at).Seconds()*intakeRate) - float64(length+intakeMessage)
	i.at = now
	if i.left >= 0 {
		return 0
	}
	return time.Duration(-i.left / intakeRate * float64(time.Second))
}
