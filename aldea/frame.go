package aldea

import (
	"crypto/rand"
	"encoding/binary"

	"github.com/gorilla/websocket"
)

// frameRoom is how long the header of a masked frame can be (RFC 6455 section 5.2).
const frameRoom = 14

// sealFrame makes a binary message of one frame of what b holds behind its first frameRoom bytes. The payload is
// masked in place, the header stands right before it, and the frame is a part of b: the library would copy the
// payload and make a writer for each message.
func sealFrame(b []byte) []byte {
	var key [4]byte
	_, _ = rand.Read(key[:]) // it never fails
	payload := b[frameRoom:]
	mask(payload, key)
	var head [frameRoom]byte
	h := append(head[:0], 0x80|websocket.BinaryMessage)
	switch n := len(payload); {
	case n <= 125:
		h = append(h, 0x80|byte(n))
	case n <= 0xFFFF:
		h = binary.BigEndian.AppendUint16(append(h, 0x80|126), uint16(n))
	default:
		h = binary.BigEndian.AppendUint64(append(h, 0x80|127), uint64(n))
	}
	h = append(h, key[:]...)
	at := frameRoom - len(h)
	copy(b[at:], h)
	return b[at:]
}

// mask masks b (section 5.3).
func mask(b []byte, key [4]byte) {
	four := uint64(binary.LittleEndian.Uint32(key[:]))
	for eight := four<<32 | four; len(b) >= 8; b = b[8:] {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^eight)
	}
	for i := range b {
		b[i] ^= key[i%4]
	}
}
