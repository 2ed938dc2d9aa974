package codec_test

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"aldeabridge/codec"
)

// g711 is one of the two laws.
type g711 struct {
	name   string
	decode func([]int16, []byte) int
	encode func([]byte, []int16) int
	// changes are the codes that come back as another: µ-law has two zeros.
	changes map[byte]byte
}

var laws = []g711{
	{"ulaw", codec.DecodeMuLaw, codec.EncodeMuLaw, map[byte]byte{0x7F: 0xFF}},
	{"alaw", codec.DecodeALaw, codec.EncodeALaw, nil},
}

func TestEveryCodeComesBack(t *testing.T) {
	for _, law := range laws {
		var codes, again [256]byte
		for i := range codes {
			codes[i] = byte(i)
		}
		var pcm [256]int16
		if n := law.decode(pcm[:], codes[:]); n != 256 {
			t.Errorf("%s: decoded %d samples, want 256", law.name, n)
		}
		if n := law.encode(again[:], pcm[:]); n != 256 {
			t.Errorf("%s: encoded %d samples, want 256", law.name, n)
		}
		for i, got := range again {
			want, ok := law.changes[byte(i)]
			if !ok {
				want = byte(i)
			}
			if got != want {
				t.Errorf("%s: code 0x%02x is %d, and that is encoded as 0x%02x, want 0x%02x", law.name, i, pcm[i], got, want)
			}
		}
	}
}

func TestDecodingIsFFmpegs(t *testing.T) {
	for _, law := range laws {
		in := golden(t, "sweep."+law.name)
		pcm := make([]int16, len(in))
		law.decode(pcm, in)
		if got, want := codec.AppendLinear16(nil, pcm), golden(t, "sweep."+law.name+".s16le"); !bytes.Equal(got, want) {
			t.Errorf("%s: the decoded sweep differs from what FFmpeg decodes", law.name)
		}
	}
}

// Programs differ about samples that lie close to the border of two codes: SoX rounds to 14 bits first, G.711's
// own text drops the lower ones. So a code may be the neighbor's, but the sample may not be farther off than a step.
func TestEncodingIsSoXs(t *testing.T) {
	for _, law := range laws {
		pcm := codec.DecodeLinear16(nil, golden(t, "sweep.s16le"))
		want := golden(t, "sweep."+law.name)
		got := make([]byte, len(pcm))
		law.encode(got, pcm)
		var g, w [1]int16
		differ := 0
		for i := range got {
			if got[i] == want[i] {
				continue
			}
			differ++
			law.decode(g[:], got[i:i+1])
			law.decode(w[:], want[i:i+1])
			step := max((abs(int(pcm[i]))+132)/16, 16)
			if d := abs(int(g[0]) - int(w[0])); d > step {
				t.Errorf("%s: sample %d (%d): got 0x%02x (%d), SoX has 0x%02x (%d)", law.name, i, pcm[i], got[i], g[0], want[i], w[0])
			}
		}
		if differ > len(got)/20 {
			t.Errorf("%s: %d of %d codes differ from SoX's, want few", law.name, differ, len(got))
		}
	}
}

// The nearest value there is would be best; truncation may cost up to a quantum more.
func TestEncodingErrsByLessThanAStep(t *testing.T) {
	for _, law := range laws {
		for v := -1 << 15; v < 1<<15; v++ {
			var code [1]byte
			var back [1]int16
			law.encode(code[:], []int16{int16(v)})
			law.decode(back[:], code[:])
			if e := abs(v - int(back[0])); e > max(abs(v)/16, 16) && abs(v) < 32000 {
				t.Fatalf("%s: %d comes back as %d", law.name, v, back[0])
			}
		}
	}
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func abs(v int) int { return max(v, -v) }
