package media_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"aldeabridge/media"
)

func TestWhatComesWithTheUpgradeIsNotLost(t *testing.T) {
	for name, tick := range map[string]time.Duration{"the stream takes the connection": 0, "the handler keeps it": -1} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, &media.Server{Tick: tick})
			conn, err := net.Dial("tcp", srv.addr)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			wire := []byte("GET /media/twilio HTTP/1.1\r\nHost: " + srv.addr + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
				"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
			for _, m := range []string{rawConnected, rawStart, rawMedia(0), rawStop} {
				wire = masked(wire, m)
			}
			if _, err := conn.Write(wire); err != nil {
				t.Fatal(err)
			}
			_ = conn.SetReadDeadline(time.Now().Add(guard))
			r := bufio.NewReader(conn)
			resp, err := http.ReadResponse(r, nil)
			if err != nil || resp.StatusCode != http.StatusSwitchingProtocols {
				t.Fatalf("got %+v, %v", resp, err)
			}
			_ = resp.Body.Close()
			if rest, err := io.ReadAll(r); string(rest) != "\x88\x02\x03\xe8" || err != nil {
				t.Errorf("got %q, %v, want a close frame of code 1000 and the end of the connection", rest, err)
			}
			if d := srv.next(t); d.reason != media.EndStop || !bytes.Equal(d.heard.of(media.TrackInbound), ramp(160)) {
				t.Errorf("got %q and %d samples, want all of it", d.reason, len(d.heard.of(media.TrackInbound)))
			}
		})
	}
}
