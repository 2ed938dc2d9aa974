package media_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"aldeabridge/media"

	"github.com/gorilla/websocket"
)

func TestACarrierThatDoesNotAnswerTheCloseFrameIsLetGo(t *testing.T) {
	for name, babbles := range map[string]bool{"it is silent": false, "it goes on sending": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { hangOn(t, babbles) })
		})
	}
}

// hangOn is a carrier that sends stop, gets the close frame and keeps the connection.
func hangOn(t *testing.T, babbles bool) {
	s := &media.Server{
		Insecure: true, // a connection in memory has no address
		Serve:    func(ctx context.Context, st *media.Stream) { st.Receive(ctx, newEarful()) },
	}
	conn, resp, err := (&websocket.Dialer{NetDialContext: inMemory(s)}).Dial("ws://bridge.example/media/twilio", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	conn.SetCloseHandler(func(int, string) error { return nil }) // no answer
	for _, m := range []string{rawStart, rawStop} {
		if err := conn.WriteMessage(websocket.TextMessage, []byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
		t.Fatalf("got %v, want the close frame", err)
	}
	closing := time.Now()
	var babble sync.WaitGroup
	babble.Go(func() {
		for babbles && conn.WriteMessage(websocket.TextMessage, []byte(rawMedia(0))) == nil {
			time.Sleep(20 * time.Millisecond)
		}
	})
	_ = conn.NetConn().SetReadDeadline(closing.Add(time.Minute))
	if n, err := conn.NetConn().Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("got %d bytes and %v behind the close frame, want nothing", n, err)
	}
	// Receive promises the carrier a second.
	if got := time.Since(closing); got != time.Second {
		t.Errorf("let go after %v, want a second", got)
	}
	conn.Close()
	babble.Wait()
	if err := s.Shutdown(t.Context()); err != nil {
		t.Error(err)
	}
}
