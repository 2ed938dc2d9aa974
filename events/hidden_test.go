package events_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"aldeabridge/events"
)

// hiddenOnes has a member of each kind that must never be written as it is.
var hiddenOnes = []rune{
	0, 7, 0x1b, '\r', '\n', 0x7f, 0x80, 0x85, 0x9b, 0x9f, // C0, DEL, C1
	0xad, 0x34f, 0x61c, 0x115f, 0x1160, 0x17b4, 0x180b, 0x180e, 0x3164, 0xffa0, // without width, fillers
	0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2060, 0x2066, 0x2069, 0x206a, 0xfe0f, 0xfeff, 0xfff9, 0xfffb,
	0x1bca0, 0x1d173, 0xe0001, 0xe0041, 0xe007f, 0xe0100, 0xe0fff, // beyond 16 bits
	0xe000, 0xffff, 0x10ffff, // private, not assigned
}

func TestHiddenCharactersAreKnown(t *testing.T) {
	for _, r := range hiddenOnes {
		if !events.Hidden(r) {
			t.Errorf("%U: got seen, want hidden", r)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Bidi_Control) && !events.Hidden(r) {
			t.Errorf("%U: got seen, want hidden", r)
		}
	}
	for _, r := range "aÄß電話ñ👩é \u00a0\u3000ש\u0301…“”–" {
		if events.Hidden(r) {
			t.Errorf("%U: got hidden, want seen", r)
		}
	}
}

func TestHiddenCharactersAreReplaced(t *testing.T) {
	mark := func(rune) rune { return '?' }
	for in, want := range map[string]string{
		"hello": "hello",
		"naïve 電話 👩‍👩‍👧 ❤️ 1️⃣ ©️": "naïve 電話 👩‍👩‍👧 ❤️ 1️⃣ ©️",
		"क्\u200dष می\u200cخواهم":  "क्\u200dष می\u200cخواهم", // joiners of Devanagari and Persian
		"re\u200dfu\u200cnd":       "re?fu?nd",
		"\u200d\u200da":            "??a",
		"電\u200d\u200d":            "電\u200d?",
		"a\ufe0fb\U000e0100":       "a?b?",
		"\x1b[2J\u009b1m\u0085":    "?[2J?1m?",
		"gnp.\u202egpj\ufeff":      "gnp.?gpj?",
		"\xff\x9b":                 "\uFFFD\uFFFD",
	} {
		if got := events.MapHidden(in, mark); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	if got := events.MapHidden("re\u200bfund\x00", func(rune) rune { return -1 }); got != "refund" {
		t.Errorf("got %q, want refund", got)
	}
}

func TestJSONHasNoHiddenCharacter(t *testing.T) {
	text := string(hiddenOnes) + "<&>電話"
	e := events.Event{Time: at, Call: call, Sequence: 1, Body: events.ActionFailed{Action: json.RawMessage(`{"text":"` + "\u0085\u202e\x7f" + `"}`), Reason: text}}
	e.Call.Params = map[string]string{"\u202ekey": text}
	b, err := e.JSON()
	if err != nil {
		t.Fatal(err)
	}
	if i := bytes.IndexFunc(b, events.Hidden); i >= 0 {
		t.Errorf("got %q at byte %d of the event", b[i:min(i+12, len(b))], i)
	}
	var back events.Event
	if err := json.Unmarshal(b, &back); err != nil {
		t.Fatal(err)
	}
	if got := back.Body.(events.ActionFailed).Reason; got != text {
		t.Errorf("read back: got %q, want %q", got, text)
	}
	if got := back.Call.Params["\u202ekey"]; got != text {
		t.Errorf("read back: got the parameter %q, want %q", got, text)
	}
}

func FuzzEscapeHidden(f *testing.F) {
	for _, text := range []string{"hello", "a\u0085b", string(hiddenOnes), "\xff\xfe"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range []any{text, map[string]any{text: []string{text}}} {
			var b bytes.Buffer
			encoder := json.NewEncoder(&b)
			encoder.SetEscapeHTML(false)
			encoder.SetIndent("", "\t")
			if err := encoder.Encode(v); err != nil {
				t.Fatal(err)
			}
			got := events.EscapeHidden(b.Bytes())
			if bytes.ContainsFunc(got, func(r rune) bool { return events.Hidden(r) && !strings.ContainsRune("\n\t", r) }) || !utf8.Valid(got) {
				t.Errorf("got %q of %q", got, b.Bytes())
			}
			var one, other any
			if err := json.Unmarshal(got, &one); err != nil {
				t.Fatalf("%v: %q", err, got)
			}
			if err := json.Unmarshal(b.Bytes(), &other); err != nil {
				t.Fatal(err)
			}
			x, _ := json.Marshal(one)
			if y, _ := json.Marshal(other); !bytes.Equal(x, y) {
				t.Errorf("got %q, want the value of %q", got, b.Bytes())
			}
		}
		events.EscapeHidden([]byte(text)) // does not panic on what is no JSON
	})
}
