package sandbox_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"aldeabridge/aldea/sandbox"

	"github.com/gorilla/websocket"
)

// A server that recognizes two words, and a client that prints the messages.
func Example() {
	srv := sandbox.New(sandbox.Options{
		Source: sandbox.Script(sandbox.Say(100*time.Millisecond, "hello world")),
	})
	defer func() { _ = srv.Close() }()

	header := http.Header{"Authorization": {"Bearer org_example"}}
	conn, resp, err := websocket.DefaultDialer.Dial(srv.URL+"/v1/listen?encoding=linear16&sample_rate=8000", header)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	defer conn.Close()
	_ = conn.WriteMessage(websocket.BinaryMessage, make([]byte, 2*8000*2)) // two seconds of audio
	_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"CloseStream"}`))
	for {
		_, b, err := conn.ReadMessage()
		if err != nil {
			fmt.Println(err)
			return
		}
		var m struct {
			Type    string
			Final   bool `json:"is_final"`
			Speech  bool `json:"speech_final"`
			Channel struct {
				Alternatives []struct{ Transcript string }
			}
		}
		_ = json.Unmarshal(b, &m)
		if m.Type == "Results" {
			fmt.Printf("%s %q final %v, end of speech %v\n", m.Type, m.Channel.Alternatives[0].Transcript, m.Final, m.Speech)
		}
	}
	// Output:
	// Results "hello" final false, end of speech false
	// Results "hello world" final false, end of speech false
	// Results "hello world" final true, end of speech true
	// websocket: close 1000 (normal)
}

// The first connection drops in the middle, the second is refused, the third is healthy.
func ExampleParseFaults() {
	plan, err := sandbox.ParseFaults("drop=3.2s; status=503 retry-after=2s; ok")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range plan {
		text, _ := json.Marshal(f)
		fmt.Println(f, string(text))
	}
	_, err = sandbox.ParseFaults("words=backwards")
	fmt.Println(err)
	// Output:
	// drop=3.2s {"drop":"3.2s"}
	// status=503 retry-after=2s {"status":503,"retry-after":"2s"}
	// ok {}
	// fault 1: words can not be "backwards", want one of arrays, objects, empty, absent, relative
}
