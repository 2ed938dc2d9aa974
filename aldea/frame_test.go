package aldea

import (
	"bytes"
	"testing"
)

func TestAFrameIsWhatTheProtocolSays(t *testing.T) {
	for _, c := range []struct {
		size int
		head string // without the key
	}{
		{2, "\x82\x82"},
		{124, "\x82\xfc"},
		{126, "\x82\xfe\x00\x7e"},
		{65534, "\x82\xfe\xff\xfe"},
		{65536, "\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00"},
	} {
		got := sealFrame(append(make([]byte, frameRoom), sound(0, c.size)...))
		rest, ok := bytes.CutPrefix(got, []byte(c.head))
		if !ok || len(rest) != 4+c.size {
			t.Errorf("%d bytes: got a frame that begins with %x and has %d bytes, want %x, the key and the payload", c.size, got[:10], len(got), c.head)
			continue
		}
		key, payload := rest[:4], rest[4:]
		for i := range payload {
			payload[i] ^= key[i%4]
		}
		if !bytes.Equal(payload, sound(0, c.size)) {
			t.Errorf("%d bytes: the payload is another", c.size)
		}
	}
	one, other := sealFrame(make([]byte, frameRoom+8)), sealFrame(make([]byte, frameRoom+8))
	if bytes.Equal(one[2:6], other[2:6]) {
		t.Errorf("two frames have the same key, %x", one[2:6])
	}
}
