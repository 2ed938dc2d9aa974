package media

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

// A plainMessage is a media message the way one would write it down for encoding/json.
type plainMessage struct {
	Event     string `json:"event"`
	StreamSID string `json:"streamSid"`
	Media     struct {
		Track     string `json:"track"`
		Timestamp string `json:"timestamp"`
		Payload   string `json:"payload"`
	} `json:"media"`
}

func (m *plainMessage) decode(dst []byte) (int, error) {
	return base64.StdEncoding.Decode(dst, []byte(m.Media.Payload))
}

// BenchmarkMessage compares ways to read one media message of 20 ms, audio included. The bench module has more.
func BenchmarkMessage(b *testing.B) {
	src, buf, dst := []byte(frameJSON), make([]byte, len(frameJSON)), make([]byte, len(frameJSON))
	routes := []struct {
		name string
		read func() (int, error)
	}{
		{"frame path", func() (int, error) {
			var m message
			copy(buf, src) // decoding in place spoils the message
			if err := m.parse(buf); err != nil {
				return 0, err
			}
			n, _ := decodeBase64(m.payload, m.payload)
			return n, nil
		}},
		{"fallback", func() (int, error) {
			var m message
			if err := m.unmarshal(src); err != nil {
				return 0, err
			}
			n, _ := decodeBase64(m.payload, m.payload)
			return n, nil
		}},
		{"encoding json", func() (int, error) {
			var m plainMessage
			if err := json.Unmarshal(src, &m); err != nil {
				return 0, err
			}
			return m.decode(dst)
		}},
	}
	for _, route := range routes {
		b.Run(route.name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := route.read(); n != 160 || err != nil {
					b.Fatalf("got %d bytes, %v, want 160", n, err)
				}
			}
		})
	}
}
