package mediatest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"aldeabridge/media/mediatest"

	"github.com/gorilla/websocket"
)

// A server that greets the caller with half a second of audio and hangs up when he has heard it.
func ExampleCall() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var up websocket.Upgrader
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		greeting := strings.Repeat("/", 5332) + "/w==" // 4000 bytes of 0xFF
		for _, message := range []string{
			`{"event":"media","streamSid":"MZ1","media":{"payload":"` + greeting + `"}}`,
			`{"event":"mark","streamSid":"MZ1","mark":{"name":"greeted"}}`,
		} {
			_ = conn.WriteMessage(websocket.TextMessage, []byte(message))
		}
		for {
			_, b, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if strings.Contains(string(b), `"mark"`) {
				fmt.Println("greeted")
				return
			}
		}
	}))
	defer server.Close()

	call := mediatest.Call{
		URL:       "ws" + strings.TrimPrefix(server.URL, "http"),
		StreamSID: "MZ1",
		Hold:      time.Minute,
		Speed:     10,
		Received:  func(m mediatest.Message) { fmt.Printf("%s %d %q\n", m.Event, len(m.Media), m.Mark) },
	}
	result, err := call.Run(context.Background())
	fmt.Println(time.Duration(result.MediaBytes)*time.Second/8000, "heard, ended by the server:", result.ByServer, err)
	// Output:
	// media 4000 ""
	// mark 0 "greeted"
	// greeted
	// 500ms heard, ended by the server: true <nil>
}
