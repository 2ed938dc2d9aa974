package media_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
)

func TestAHandshakeThatIsNoneIsAnsweredWith400(t *testing.T) {
	const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	srv := serve(t, &media.Server{StartTimeout: guard})
	for _, c := range []struct {
		name, keys string
		status     int
	}{
		{"a key", key, http.StatusSwitchingProtocols},
		{"a key in other letters", strings.ToLower(key[:18]) + key[18:], http.StatusSwitchingProtocols},
		{"no key", "", http.StatusBadRequest},
		{"an empty key", "Sec-WebSocket-Key:\r\n", http.StatusBadRequest},
		{"no base64", "Sec-WebSocket-Key: not base64 at all!!!!\r\n", http.StatusBadRequest},
		{"15 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA\r\n", http.StatusBadRequest},
		{"17 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA=\r\n", http.StatusBadRequest},
		{"16 bytes without padding", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA\r\n", http.StatusBadRequest},
		{"16 bytes and more behind them", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==AAAA\r\n", http.StatusBadRequest},
		{"the alphabet for URLs", "Sec-WebSocket-Key: -_-_AAAAAAAAAAAAAAAAAA==\r\n", http.StatusBadRequest},
		{"bits behind the 16 bytes", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAB==\r\n", http.StatusSwitchingProtocols},
		{"two keys", key + key, http.StatusBadRequest},
	} {
		conn, err := net.Dial("tcp", srv.addr)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.WriteString(conn, "GET /media/twilio HTTP/1.1\r\nHost: "+srv.addr+"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
			"Sec-WebSocket-Version: 13\r\n"+c.keys+"\r\n")
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(guard))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		resp.Body.Close()
		_ = conn.Close()
		if resp.StatusCode != c.status {
			t.Errorf("%s: got %d, want %d", c.name, resp.StatusCode, c.status)
		}
	}
}
