package media

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

var base64Cases = []struct {
	name, in string
	want     string // "-" means refused
}{
	{"nothing", "", ""},
	{"three bytes", "QUJD", "ABC"},
	{"two bytes", "QUI=", "AB"},
	{"one byte", "QQ==", "A"},
	{"two bytes without padding", "QUI", "AB"},
	{"one byte without padding", "QQ", "A"},
	{"half the padding", "QQ=", "A"},
	{"padding that is not needed", "QUJD=", "ABC"},
	{"standard alphabet", "+/+/", "\xfb\xff\xbf"},
	{"alphabet for URLs", "-_-_", "\xfb\xff\xbf"},
	{"both alphabets", "+_-/", "\xfb\xff\xbf"},
	{"one character too many", "QUJDR", "-"},
	{"one character", "Q", "-"},
	{"padding alone", "====", "-"},
	{"padding in the middle", "QUI=QUJD", "-"},
	{"padding of three", "QQ===", "-"},
	{"a character behind the padding", "QQ==Q", "-"},
	{"a space", "QU JD", "ABC"},
	{"a line end behind it", "QUJD\n", "ABC"},
	{"line ends and padding", "QUJDQQ\r\n==\r\n", "ABCA"},
	{"a line end in each place", "Q\nU\nJ\nD\nR\nE\nU\n=", "ABCDE"},
	{"no padding and a line end", "QUI\n", "AB"},
	{"the alphabet for URLs in lines", "-_-\r\n_-_-_\r\n", "\xfb\xff\xbf\xfb\xff\xbf"},
	{"white space alone", " \r\n\t", ""},
	{"one character and a line end", "Q\n", "-"},
	{"a vertical tab", "QU\vJD", "-"},
	{"an exclamation mark", "QUJ!", "-"},
	{"a byte above 127", "QU\xffD", "-"},
	{"rubbish in the tail of two", "QUJDQ!", "-"},
	{"rubbish in the tail of three", "QUJDQU!", "-"},
}

func TestBase64IsReadInEveryFormCarriersWrite(t *testing.T) {
	for _, c := range base64Cases {
		t.Run(c.name, func(t *testing.T) {
			b := []byte(c.in)
			n, ok := decodeBase64(b, b)
			switch {
			case c.want == "-" && ok:
				t.Errorf("got %q, want a refusal", b[:n])
			case c.want != "-" && !ok:
				t.Errorf("got a refusal, want %q", c.want)
			case ok && string(b[:n]) != c.want:
				t.Errorf("got %q, want %q", b[:n], c.want)
			}
		})
	}
}

func FuzzBase64(f *testing.F) {
	for _, c := range base64Cases {
		f.Add([]byte(c.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		want, err := base64.StdEncoding.DecodeString(string(in))
		b := bytes.Clone(in)
		n, ok := decodeBase64(b, b)
		if err == nil && (!ok || !bytes.Equal(b[:n], want)) {
			t.Fatalf("%q: got %q, %v, want %q", in, b[:n], ok, want)
		}
		if !ok {
			return
		}
		// What is accepted is what its standard form says.
		std := strings.NewReplacer("-", "+", "_", "/", "=", "", " ", "", "\t", "").Replace(string(in))
		want, err = base64.RawStdEncoding.DecodeString(std)
		if err != nil || !bytes.Equal(b[:n], want) {
			t.Fatalf("%q: got %q, want %q (%v)", in, b[:n], want, err)
		}
	})
}

func BenchmarkBase64(b *testing.B) {
	frame := bytes.Repeat([]byte{0x5a, 0xa5, 0x00, 0xff}, 40)
	text := []byte(base64.StdEncoding.EncodeToString(frame))
	b.Run("ours", func(b *testing.B) {
		dst := make([]byte, len(text))
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, ok := decodeBase64(dst, text); !ok {
				b.Fatal("refused")
			}
		}
	})
	b.Run("standard library", func(b *testing.B) {
		dst := make([]byte, len(text))
		b.SetBytes(int64(len(text)))
		for b.Loop() {
			if _, err := base64.StdEncoding.Decode(dst, text); err != nil {
				b.Fatal(err)
			}
		}
	})
}
