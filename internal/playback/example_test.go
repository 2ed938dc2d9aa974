package playback_test

import (
	"context"
	"fmt"
	"io"

	"aldeabridge/internal/playback"
)

// A carrier that echoes every mark at once.
type carrier struct {
	player *playback.Player
	plays  chan struct{}
}

func (c *carrier) SendMedia([]byte) error {
	select {
	case c.plays <- struct{}{}:
	default:
	}
	return nil
}

func (c *carrier) SendMark(name string) error {
	c.player.Mark(name)
	return nil
}

func (c *carrier) SendClear() error {
	fmt.Println("the carrier discards what it has not played")
	return nil
}

// An hour of silence, a second at a time.
type hour struct{ seconds int }

func (h *hour) Next(context.Context) ([]byte, error) {
	if h.seconds++; h.seconds > 3600 {
		return nil, io.EOF
	}
	second := make([]byte, 8000)
	for i := range second {
		second[i] = 0xFF
	}
	return second, nil
}

func (h *hour) Close() error { fmt.Println("the source is closed"); return nil }

// The caller presses a key while something plays.
func Example() {
	line := carrier{plays: make(chan struct{}, 1)}
	line.player = playback.New(playback.Config{
		Line:     &line,
		Finished: func(r playback.Result) { fmt.Println(r.ID, "was stopped by", r.InterruptedBy) },
	})
	err := line.player.Enqueue(playback.Item{ID: "music", Source: &hour{}, Interruptible: true})
	fmt.Println("playing:", line.player.Playing(), err)
	<-line.plays
	line.player.Interrupt(playback.ByDTMF)
	_ = line.player.Idle(context.Background())
	_ = line.player.Close()
	fmt.Println("playing:", line.player.Playing())
	// Unordered output:
	// playing: true <nil>
	// the carrier discards what it has not played
	// the source is closed
	// music was stopped by dtmf
	// playing: false
}
