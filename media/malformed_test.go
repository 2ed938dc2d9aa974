package media_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"aldeabridge/media"
	"aldeabridge/media/mediatest"

	"github.com/gorilla/websocket"
)

const (
	rawConnected = `{"event":"connected","protocol":"Call","version":"1.0.0"}`
	rawStart     = `{"event":"start","sequenceNumber":"1","start":{"accountSid":"AC0","streamSid":"MZ0","callSid":"CA0","tracks":["inbound"],"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1},"customParameters":{}},"streamSid":"MZ0"}`
	rawStop      = `{"event":"stop","sequenceNumber":"9","stop":{"accountSid":"AC0","callSid":"CA0"},"streamSid":"MZ0"}`
)

// rawMedia is a good frame of 20 ms.
func rawMedia(ts int) string {
	return fmt.Sprintf(`{"event":"media","streamSid":"MZ0","media":{"track":"inbound","timestamp":"%d","payload":"%s"}}`,
		ts, base64.StdEncoding.EncodeToString(ramp(160)))
}

// A binaryFrame is sent as a binary frame, rawBytes are written past the WebSocket.
type (
	binaryFrame string
	rawBytes    string
)

func TestMalformedInputIsSkippedAndTheNextCallIsFine(t *testing.T) {
	srv := serve(t, &media.Server{StartTimeout: guard})
	noise := func(s string) []any { return []any{rawConnected, rawStart, s, rawMedia(0), rawStop} }
	for _, c := range []struct {
		name         string
		messages     []any // string, binaryFrame or rawBytes
		reason       media.EndReason
		skipped, bad int64
		frames       int64
		never        bool // there is no usable start: Serve is not called
		code         int  // of the close frame; 0 means 1000
	}{
		{name: "no JSON", messages: noise("hello"), skipped: 1},
		{name: "nothing", messages: noise(""), skipped: 1},
		{name: "JSON cut short", messages: noise(`{"event":"media","media":{`), skipped: 1},
		{name: "a list", messages: noise(`[1,2,3]`), skipped: 1},
		{name: "null", messages: noise(`null`), skipped: 1},
		{name: "a thousand brackets", messages: noise(strings.Repeat("[", 1000)), skipped: 1},
		{name: "an unknown event", messages: noise(`{"event":"hologram","streamSid":"MZ0"}`), skipped: 1},
		{name: "an event that is a number", messages: noise(`{"event":42}`), skipped: 1},
		{name: "no event", messages: noise(`{}`), skipped: 1},
		{name: "a binary frame", messages: []any{rawConnected, rawStart, binaryFrame("\x00\x01\x02"), rawMedia(0), rawStop}, skipped: 1},
		{name: "a binary frame with a good message", messages: []any{rawConnected, rawStart, binaryFrame(rawMedia(0)), rawMedia(0), rawStop}, skipped: 1},
		{name: "a huge message", messages: noise(`{"event":"media","pad":"` + strings.Repeat("x", 100<<10) + `"}`), skipped: 1},
		{name: "media before the start", messages: []any{rawMedia(0), rawConnected, rawMedia(20), rawStart, rawMedia(0), rawStop}, skipped: 2},
		{name: "two starts", messages: noise(rawStart), skipped: 1},
		{name: "another call's start", messages: noise(strings.ReplaceAll(rawStart, "MZ0", "MZ1")), skipped: 1},
		{name: "media for another stream", messages: noise(strings.ReplaceAll(rawMedia(0), "MZ0", "MZ1")), skipped: 1},
		{name: "stop for another stream", messages: noise(strings.ReplaceAll(rawStop, "MZ0", "MZ1")), skipped: 1},
		{name: "media of an unknown track", messages: noise(strings.ReplaceAll(rawMedia(0), "inbound", "sideways")), skipped: 1},
		{name: "media of a track that was not announced", messages: noise(strings.ReplaceAll(rawMedia(0), "inbound", "outbound")), skipped: 1},
		{name: "media that is a string", messages: noise(`{"event":"media","streamSid":"MZ0","media":"hello"}`), skipped: 1},
		{name: "media without its object", messages: noise(`{"event":"media","streamSid":"MZ0"}`), skipped: 1},
		{name: "bad base64", messages: noise(`{"event":"media","media":{"payload":"?!*"}}`), bad: 1},
		{name: "base64 of an impossible length", messages: noise(`{"event":"media","media":{"payload":"AAAAA"}}`), bad: 1},
		{name: "base64 in lines, as MIME has it", messages: noise(`{"event":"media","media":{"payload":"AAAA\nAA==\r\n"}}`), frames: 1},
		{name: "base64 in lines that are no JSON", messages: noise("{\"event\":\"media\",\"media\":{\"payload\":\"AAAA\nAAAA\n\"}}"), frames: 1},
		{name: "base64 with escaped slashes", messages: noise(`{"event":"media","media":{"payload":"AA\/\/"}}`), frames: 1},
		{name: "a payload that is a number", messages: noise(`{"event":"media","media":{"payload":7}}`), bad: 1},
		{name: "no payload", messages: noise(`{"event":"media","media":{"timestamp":"0"}}`), bad: 1},
		{name: "an empty payload", messages: noise(`{"event":"media","media":{"timestamp":"0","payload":""}}`), frames: 1},
		{name: "an odd frame", messages: noise(`{"event":"media","media":{"timestamp":"0","payload":"AAAA"}}`), frames: 1},
		{name: "a frame without a timestamp", messages: noise(`{"event":"media","media":{"payload":"AAAA"}}`), frames: 1},
		{name: "a timestamp that is an object", messages: noise(`{"event":"media","media":{"timestamp":{},"payload":"AAAA"}}`), frames: 1},
		{name: "an astronomical timestamp", messages: noise(`{"event":"media","media":{"timestamp":"99999999999999999999","payload":"AAAA"}}`), frames: 1},
		{name: "dtmf without a digit", messages: noise(`{"event":"dtmf","dtmf":{}}`), skipped: 1},
		{name: "mark without a name", messages: noise(`{"event":"mark","mark":{"name":""}}`), skipped: 1},
		{name: "messages after stop", messages: []any{rawConnected, rawStart, rawMedia(0), rawStop, rawMedia(20), rawStop, "hello", binaryFrame("x")}},
		{name: "no connected", messages: []any{rawStart, rawMedia(0), rawStop}},
		{name: "connected again", messages: noise(rawConnected), skipped: 1},
		{name: "a frame of a kind nobody knows", messages: []any{rawStart, rawMedia(0), rawBytes("\x8b\x80\x00\x00\x00\x00")}, reason: media.EndProtocol, code: 1002},
		{name: "no UTF-8", messages: []any{rawStart, rawMedia(0), "{\"event\":\"\xff\xfe\"}"}, reason: media.EndProtocol, code: 1007},
		{name: "no UTF-8 in a huge message", messages: []any{rawStart, rawMedia(0), strings.Repeat("x", 100<<10) + "\xff", rawStop}, reason: media.EndProtocol, code: 1007, skipped: 1},
		{name: "a length that could be shorter", messages: []any{rawStart, rawMedia(0), rawBytes("\x81\xfe\x00\x02\x00\x00\x00\x00{}")}, reason: media.EndProtocol, code: 1002},
		{name: "a frame without a mask", messages: []any{rawStart, rawMedia(0), rawBytes("\x81\x02hi")}, reason: media.EndProtocol, code: 1002},
		{name: "a frame of four exabytes", messages: []any{rawStart, rawMedia(0), rawBytes("\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00")}, reason: media.EndProtocol, code: 1009},
		{name: "a start that is none", messages: []any{rawConnected, `{"event":"start","start":7}`, rawStop}, never: true},
		{name: "a start of other audio", messages: []any{strings.ReplaceAll(rawStart, "x-mulaw", "L16")}, never: true, code: 1003},
		{name: "stop without a start", messages: []any{rawConnected, rawStop}, never: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, resp, err := websocket.DefaultDialer.Dial(srv.url(), nil)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			defer conn.Close()
			for _, m := range c.messages {
				switch m := m.(type) {
				case string:
					err = conn.WriteMessage(websocket.TextMessage, []byte(m))
				case binaryFrame:
					err = conn.WriteMessage(websocket.BinaryMessage, []byte(m))
				case rawBytes:
					_, err = conn.NetConn().Write([]byte(m))
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if c.code == 0 {
				c.code = 1000
			}
			if c.reason == "" {
				c.reason = media.EndStop
			}
			_ = conn.SetReadDeadline(time.Now().Add(guard))
			if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, c.code) {
				t.Errorf("got %v, want the close code %d", err, c.code)
			}
			if !c.never {
				d := srv.next(t)
				if d.reason != c.reason {
					t.Errorf("reason: got %q, want %q", d.reason, c.reason)
				}
				want := media.Stats{Frames: 1 + c.frames, Skipped: c.skipped, Bad: c.bad}
				got := d.stats
				got.Silence, got.Late = 0, 0
				if got != want {
					t.Errorf("stats: got %+v, want %+v", got, want)
				}
				if got := d.heard.of(media.TrackInbound); !bytes.Contains(got, ramp(160)[24:]) {
					t.Errorf("the good frame did not arrive: got %d samples", len(got))
				}
			}
			call := mediatest.Call{URL: srv.url(), Inbound: ramp(320), Speed: 20}
			if _, err := call.Run(context.Background()); err != nil {
				t.Fatalf("the next call: %v", err)
			}
			d := srv.next(t)
			if got := withoutSilence(d.heard.of(media.TrackInbound)); d.reason != media.EndStop || !bytes.Equal(got, ramp(320)) {
				t.Errorf("the next call: got %q and %d samples", d.reason, len(got))
			}
		})
	}
	if got := srv.Stats(); got.Panicked != 0 || got.NoStart != 3 {
		t.Errorf("stats: got %+v, want no panic and three streams without a start", got)
	}
}
