package logguard

import (
	"crypto/sha256"
	"fmt"
	"log/slog"
	"strings"
	"unicode/utf8"
)

const (
	maxValue = 1 << 10 // bytes of an attribute's text
	maxStack = 4 << 10 // bytes of a stack: some 25 frames
	maxID    = 64      // bytes of an identifier; those of carriers have 34
)

// identifiers are the keys whose values peers choose. Operators need them to find a call.
var identifiers = map[string]bool{
	"call_sid": true, "stream_sid": true, "account_sid": true, "request_id": true, "before": true, "event_id": true, "in_reply_to": true,
	"action": true,
}

// safeAll returns safe attributes.
func safeAll(attrs []slog.Attr) []slog.Attr {
	all := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		all[i] = safe(a)
	}
	return all
}

// safe returns an attribute whose value is short and has no text of a peer.
func safe(a slog.Attr) slog.Attr {
	a.Value = a.Value.Resolve()
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(safeString(a.Key, a.Value.String()))
	case slog.KindGroup:
		a.Value = slog.GroupValue(safeAll(a.Value.Group())...)
	case slog.KindAny:
		a.Value = safeAny(a.Key, a.Value)
	}
	return a
}

// safeString returns the text of an attribute.
func safeString(key, text string) string {
	switch {
	case identifiers[key]:
		return identifier(text)
	case key == "panic":
		return "string"
	case key == "stack":
		return clean(strings.ReplaceAll(text, "\n\t", " at "), maxStack)
	}
	return clean(text, maxValue)
}

// safeAny returns a value that is no plain type: errors as text, and of other panics only the type.
func safeAny(key string, v slog.Value) slog.Value {
	err, ok := v.Any().(error)
	switch {
	case ok:
		return slog.StringValue(Text(err))
	case key == "panic":
		return slog.StringValue(fmt.Sprintf("%T", v.Any()))
	}
	return v
}

// identifier returns an identifier as it is if it looks like one: up to 64 letters, digits, _, - and a few others. Of any other
// text it returns the length and a hash, which still tells two of them apart.
func identifier(text string) string {
	strange := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.:", r)
	}
	if len(text) <= maxID && strings.IndexFunc(text, strange) < 0 {
		return text
	}
	sum := sha256.Sum256([]byte(text))
	return fmt.Sprintf("(%d bytes, sha256 %x)", len(text), sum[:8])
}

// clean returns text with at most limit bytes, and with escapes for what is not printed: line ends, control characters,
// and those that change the direction of writing.
func clean(text string, limit int) string {
	cut := len(text) > limit
	if cut {
		n := limit
		for n > 0 && !utf8.RuneStart(text[n]) {
			n--
		}
		text = fmt.Sprintf("%s… (%d bytes)", text[:n], len(text))
	}
	return printable(text)
}
