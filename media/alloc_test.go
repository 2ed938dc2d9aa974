package media_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
)

func TestTheWayFromTheSocketToTheReceiverAllocatesNothing(t *testing.T) {
	for name, tick := range map[string]time.Duration{"at ticks": 10 * time.Millisecond, "as frames come": -1} {
		t.Run(name, func(t *testing.T) {
			const burst = 5
			heard := newTally(burst)
			srv := serve(t, &media.Server{Tick: tick, Serve: func(ctx context.Context, st *media.Stream) { st.Receive(ctx, heard) }})
			conn, err := net.Dial("tcp", srv.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			upgrade(t, conn)
			if _, err := conn.Write(masked(nil, rawStart)); err != nil {
				t.Fatal(err)
			}
			var frames []byte
			for range burst {
				frames = masked(frames, strings.Replace(rawMedia(0), `"timestamp":"0"`, `"chunk":"1"`, 1))
			}
			got := testing.AllocsPerRun(100, func() {
				if _, err := conn.Write(frames); err != nil {
					t.Fatal(err)
				}
				<-heard.full
			})
			most := 0.0
			if raceEnabled {
				most = burst // it makes pools forget some of what is given back to them
			}
			if got > most {
				t.Errorf("%v allocations for %d frames, want %v at most", got, burst, most)
			}
		})
	}
}
