package media

import (
	"bytes"
	"math"
	"strconv"
)

// maxMillisDigits keeps a timestamp, counted in samples, far from overflow: 10^12 ms are 31 years.
const maxMillisDigits = 12

// parseMillis parses a number of milliseconds. A fraction is cut off. It returns false for anything else.
func parseMillis(b []byte) (int64, bool) {
	var n int64
	i := 0
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		if i == maxMillisDigits {
			return 0, false
		}
		n = n*10 + int64(b[i]-'0')
	}
	if i == len(b) && i > 0 {
		return n, true
	}
	if f, ok := parseNumber(b); ok && f < 1e12 {
		return int64(f), true
	}
	return 0, false
}

// parseWhole parses a whole number below 10^9, in any of the ways in which JSON can write it: 8000, 8000.0, 8e3.
func parseWhole(s string) (int, bool) {
	f, ok := parseNumber([]byte(s))
	if !ok || f != math.Trunc(f) || f >= 1e9 {
		return 0, false
	}
	return int(f), true
}

// parseNumber parses a decimal number that is not negative.
func parseNumber(b []byte) (float64, bool) {
	if len(b) == 0 || b[0] != '-' && (b[0] < '0' || b[0] > '9') || len(bytes.Trim(b, "0123456789.eE+-")) > 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(b), 64)
	return math.Abs(f), err == nil && f >= 0 // -0 is 0
}
