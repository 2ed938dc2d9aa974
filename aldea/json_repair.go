package aldea

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// nearJSON makes JSON of what some programs write in its place: NaN and Infinity become null, as do all bare words that
// JSON does not have, True and False are written in lower case, and numbers such as .5 or +1 as JSON writes them. A byte
// order mark and zero bytes around the message are taken off. Other text stays as it is.
func nearJSON(data []byte) []byte {
	data = bytes.Trim(bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")), "\x00 \t\r\n")
	out := make([]byte, 0, len(data))
	for len(data) > 0 {
		n := 1
		switch c := data[0]; {
		case c == '"':
			n = stringLength(data)
			out = append(out, data[:n]...)
		case isBare(c):
			for n < len(data) && isBare(data[n]) {
				n++
			}
			out = append(out, bareWord(data[:n])...)
		default:
			out = append(out, c)
		}
		data = data[n:]
	}
	return out
}

// stringLength is how long the string is that data begins with, its quotes included.
func stringLength(data []byte) int {
	for i := 1; i < len(data); i++ {
		switch data[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(data)
}

// isBare reports whether c can be part of a number or of a word without quotes.
func isBare(c byte) bool {
	switch c {
	case '+', '-', '.', '_':
		return true
	}
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// bareWord is a number or a word as JSON writes it.
func bareWord(word []byte) []byte {
	if json.Valid(word) {
		return word
	}
	switch lower := bytes.ToLower(word); string(lower) {
	case "true", "false":
		return lower
	}
	n, err := strconv.ParseFloat(string(word), 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) {
		return []byte("null")
	}
	return strconv.AppendFloat(nil, n, 'g', -1, 64)
}
