package bench

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"testing"

	"github.com/buger/jsonparser"
)

// mediaMessage is one of Twilio Media Streams with 20 ms of audio.
var mediaMessage = []byte(`{"event":"media","sequenceNumber":"4","media":{"track":"inbound","chunk":"2","timestamp":"5","payload":"` +
	base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0x5a, 0xa5, 0x00, 0xff}, 40)) + `"},"streamSid":"MZ0"}`)

// A message is what a server needs of it.
type message struct {
	Event     string `json:"event"`
	StreamSID string `json:"streamSid"`
	Media     struct {
		Track     string `json:"track"`
		Timestamp string `json:"timestamp"`
		Payload   []byte `json:"payload"` // base64
	} `json:"media"`
}

// BenchmarkMessage reads one media message by other libraries' routes, audio included. Package media's benchmark
// of the same name has ours. With GOEXPERIMENT=jsonv2, encoding/json is the new one underneath, and a second
// file adds its own interface.
func BenchmarkMessage(b *testing.B) {
	b.Run("encoding json", func(b *testing.B) {
		parse(b, func() (int, error) {
			var m message
			err := json.Unmarshal(mediaMessage, &m)
			return len(m.Media.Payload), err
		})
	})
	b.Run("jsonparser EachKey", func(b *testing.B) {
		paths := [][]string{{"event"}, {"streamSid"}, {"media", "track"}, {"media", "timestamp"}, {"media", "payload"}}
		dst := make([]byte, len(mediaMessage))
		parse(b, func() (int, error) {
			var values [5][]byte
			jsonparser.EachKey(mediaMessage, func(i int, value []byte, _ jsonparser.ValueType, _ error) { values[i] = value }, paths...)
			return base64.StdEncoding.Decode(dst, values[4])
		})
	})
	b.Run("jsonparser Get", func(b *testing.B) {
		dst := make([]byte, len(mediaMessage))
		parse(b, func() (int, error) {
			var payload []byte
			for _, path := range [][]string{{"event"}, {"streamSid"}, {"media", "track"}, {"media", "timestamp"}, {"media", "payload"}} {
				value, _, _, err := jsonparser.Get(mediaMessage, path...)
				if err != nil {
					return 0, err
				}
				payload = value
			}
			return base64.StdEncoding.Decode(dst, payload)
		})
	})
}

func parse(b *testing.B, read func() (int, error)) {
	b.SetBytes(int64(len(mediaMessage)))
	b.ReportAllocs()
	for b.Loop() {
		if n, err := read(); n != 160 || err != nil {
			b.Fatalf("got %d bytes, %v, want 160", n, err)
		}
	}
}
