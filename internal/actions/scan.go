package actions

import (
	"errors"
	"fmt"
	"strconv"
)

// errSurrogate is about "\ud800": half of a character. Decoders quietly make something else of it.
var errSurrogate = errors.New(`a string has half of a surrogate pair (\ud800 to \udfff); both halves, or the character itself, would be right`)

// scan looks through well-formed JSON for what the decoder lets pass: nesting without reason, and half characters.
func scan(b []byte) error {
	depth, inside := 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case inside && c == '\\':
			n, ok := escape(b[i:])
			if !ok {
				return errSurrogate
			}
			i += n - 1
		case c == '"':
			inside = !inside
		case inside:
		case c == '{' || c == '[':
			if depth++; depth > maxDepth {
				return fmt.Errorf("nested more than %d deep", maxDepth)
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return nil
}

// escape returns the length of the escape at the beginning of b, and whether it stands for whole characters.
func escape(b []byte) (int, bool) {
	first, ok := unit(b)
	switch {
	case !ok:
		return 2, true // \n and its like
	case first < 0xd800 || first > 0xdfff:
		return 6, true
	case first > 0xdbff:
		return 6, false
	}
	second, ok := unit(b[6:])
	return 12, ok && second >= 0xdc00 && second <= 0xdfff
}

// unit reads \uXXXX at the beginning of b.
func unit(b []byte) (uint64, bool) {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	return n, err == nil
}
