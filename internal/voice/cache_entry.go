package voice

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"hash/crc32"
)

// A file of the cache is: magic, the length of the words' JSON (4 bytes), that JSON, the audio, and a CRC-32C of all of it.
const (
	magic     = "speech2\n"
	entryHead = len(magic) + 4
	entryTail = crc32.Size
)

var errEntry = errors.New("voice: not a whole cache entry")

func encodeEntry(audio []byte, words []Word) ([]byte, error) {
	j, err := json.Marshal(words)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, entryHead+len(j)+len(audio)+entryTail)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint32(b, uint32(len(j)))
	b = append(b, j...)
	b = append(b, audio...)
	return binary.BigEndian.AppendUint32(b, checksum(b)), nil
}

func decodeEntry(b []byte) (audio []byte, words []Word, err error) {
	if len(b) < entryHead+entryTail || !bytes.HasPrefix(b, []byte(magic)) {
		return nil, nil, errEntry
	}
	body, sum := b[:len(b)-entryTail], binary.BigEndian.Uint32(b[len(b)-entryTail:])
	n := int64(binary.BigEndian.Uint32(b[len(magic):]))
	rest := body[entryHead:]
	if checksum(body) != sum || n > int64(len(rest)) {
		return nil, nil, errEntry
	}
	if err := json.Unmarshal(rest[:n], &words); err != nil || n == int64(len(rest)) {
		return nil, nil, errEntry // no words, or no audio
	}
	return rest[n:], words, nil
}

func checksum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }
