package aldea

import "time"

// A pacer limits how fast audio is sent: on average speed times real time, with a burst of paceBurst. Live
// audio is slower than that and passes unhindered; a backlog is slowed down.
type pacer struct {
	speed  float64 // negative: no limit
	credit time.Duration
	at     time.Time // when credit was right
}

// paceBurst lets through what a carrier delivers late and then at once.
const paceBurst = 500 * time.Millisecond

// restart begins a connection with a full burst.
func (p *pacer) restart(now time.Time) { p.credit, p.at = paceBurst, now }

// wait returns how long audio of length d must wait, 0 if it may be sent now.
func (p *pacer) wait(d time.Duration, now time.Time) time.Duration {
	if p.speed < 0 {
		return 0
	}
	earned := time.Duration(p.speed * float64(now.Sub(p.at)))
	p.credit, p.at = min(p.credit+earned, paceBurst), now
	if p.credit >= d {
		return 0
	}
	return time.Duration(float64(d-p.credit)/p.speed) + 1
}

// spend takes the credit for audio of length d that is sent without regard to wait, or after it.
func (p *pacer) spend(d time.Duration) { p.credit -= d }
