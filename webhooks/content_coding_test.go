package webhooks

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"aldeabridge/webhooks/webhooktest"
)

// packed returns the compressed form of text.
func packed(t testing.TB, text string, packer func(io.Writer) io.WriteCloser) []byte {
	t.Helper()
	var b bytes.Buffer
	w := packer(&b)
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func asGzip(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) }
func asZlib(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) }

func asFlate(w io.Writer) io.WriteCloser {
	f, err := flate.NewWriter(w, flate.BestCompression)
	if err != nil {
		panic(err) // the level is one of flate's own
	}
	return f
}

const answerText = `{"actions":[{"type":"hangup"}]}`

// noise is text that is hardly compressible.
func noise(t testing.TB, n int) string {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	for i := range b {
		b[i] = 'A' + b[i]&31
	}
	return string(b)
}

func TestCompressedAnswersAreDecompressed(t *testing.T) {
	gz, zl, raw := packed(t, answerText, asGzip), packed(t, answerText, asZlib), packed(t, answerText, asFlate)
	long := noise(t, maxAnswer)
	for _, c := range []struct {
		name   string
		coding []string
		body   []byte
		want   string
		err    error
	}{
		{"plain", nil, []byte(answerText), answerText, nil},
		{"identity", []string{"identity"}, []byte(answerText), answerText, nil},
		{"no coding", []string{"", " , "}, []byte(answerText), answerText, nil},
		{"gzip", []string{"gzip"}, gz, answerText, nil},
		{"x-gzip", []string{" X-Gzip "}, gz, answerText, nil},
		{"gzip and identity", []string{"identity, gzip"}, gz, answerText, nil},
		{"two members of gzip", []string{"gzip"}, slices.Concat(packed(t, answerText[:5], asGzip), packed(t, answerText[5:], asGzip)), answerText, nil},
		{"deflate with zlib's header", []string{"deflate"}, zl, answerText, nil},
		{"deflate without", []string{"Deflate"}, raw, answerText, nil},
		{"as long as may be", []string{"gzip"}, packed(t, long, asGzip), long, nil},
		{"short and of zeros", []string{"gzip"}, packed(t, strings.Repeat("0", freeRatio), asGzip), strings.Repeat("0", freeRatio), nil},
		{"empty", []string{"gzip"}, nil, "", nil},
		{"empty with a coding that is not read", []string{"br"}, nil, "", nil},
		{"empty, packed", []string{"gzip"}, packed(t, "", asGzip), "", nil},

		{"br", []string{"br"}, []byte("\x0b\x02\x80{}\x03"), "", ErrAnswerCoding},
		{"zstd", []string{"zstd"}, []byte("\x28\xb5\x2f\xfd"), "", ErrAnswerCoding},
		{"a name without end", []string{strings.Repeat("x", 1<<16)}, gz, "", ErrAnswerCoding},
		{"twice", []string{"gzip, gzip"}, packed(t, string(gz), asGzip), "", ErrAnswerCoding},
		{"twice, in two headers", []string{"deflate", "gzip"}, gz, "", ErrAnswerCoding},
		{"gzip that nobody told of", nil, gz, "", ErrAnswerCoding},
		{"zstd that nobody told of", []string{"identity"}, []byte("\x28\xb5\x2f\xfd"), "", ErrAnswerCoding},
		{"plain as gzip", []string{"gzip"}, []byte(answerText), "", ErrAnswerDamaged},
		{"plain as deflate", []string{"deflate"}, []byte(answerText), "", ErrAnswerDamaged},
		{"gzip cut short", []string{"gzip"}, gz[:len(gz)-1], answerText, ErrAnswerDamaged},
		{"gzip with a wrong sum", []string{"gzip"}, append(slices.Clone(gz[:len(gz)-8]), 0, 0, 0, 0, 0, 0, 0, 0), answerText, ErrAnswerDamaged},
		{"zlib cut short", []string{"deflate"}, zl[:len(zl)-2], answerText, ErrAnswerDamaged},
		{"deflate cut short", []string{"deflate"}, raw[:4], "", ErrAnswerDamaged},
		{"gzip and something else", []string{"gzip"}, append(slices.Clone(gz), "junk"...), answerText, ErrAnswerDamaged},
		{"deflate and something else", []string{"deflate"}, append(slices.Clone(raw), "junk"...), answerText, ErrAnswerDamaged},
		{"too long unpacked", []string{"gzip"}, packed(t, long+"!", asGzip), long, ErrAnswerTooLong},
		{"too long packed", []string{"gzip"}, []byte(long + "!"), "", ErrAnswerTooLong},
		{"a bomb", []string{"gzip"}, packed(t, strings.Repeat("0", maxAnswer), asGzip), "", ErrAnswerRatio},
		{"a bomb of deflate", []string{"deflate"}, packed(t, strings.Repeat("0", 100*maxAnswer), asFlate), "", ErrAnswerTooLong},
	} {
		got, err := readAnswer(bytes.NewReader(c.body), http.Header{"Content-Encoding": c.coding})
		if !errors.Is(err, c.err) || c.err == nil && err != nil {
			t.Errorf("%s: got error %v, want %v", c.name, err, c.err)
		}
		if c.want != "" && string(got) != c.want || len(got) > maxAnswer {
			t.Errorf("%s: got %d bytes, want %d", c.name, len(got), len(c.want))
		}
		if err != nil && len(err.Error()) > 250 {
			t.Errorf("%s: got an error of %d bytes, want a short one", c.name, len(err.Error()))
		}
	}
}

func FuzzUnpack(f *testing.F) {
	for _, packer := range []func(io.Writer) io.WriteCloser{asGzip, asZlib, asFlate} {
		f.Add("gzip", packed(f, answerText, packer))
		f.Add("deflate", packed(f, answerText, packer))
	}
	f.Fuzz(func(t *testing.T, coding string, body []byte) {
		got, err := readAnswer(bytes.NewReader(body), http.Header{"Content-Encoding": {coding}})
		if len(got) > maxAnswer || len(got) > max(maxRatio*len(body), freeRatio) {
			t.Fatalf("got %d bytes from %d", len(got), len(body))
		}
		if err != nil && len(err.Error()) > 250 {
			t.Fatalf("got an error of %d bytes", len(err.Error()))
		}
	})
}

// The request asks for the identity coding, unless the operator configures another one. A compressed answer is
// decompressed for the actions and the delivery log.
func TestRequestsAskForIdentityAndAnswersAreDecompressed(t *testing.T) {
	for _, c := range []struct {
		configured http.Header
		want       string
	}{{nil, "identity"}, {http.Header{"Accept-Encoding": {"gzip"}}, "gzip"}} {
		synctest.Test(t, func(t *testing.T) {
			srv := webhooktest.NewInMemory(testSecret)
			defer srv.Close()
			answer := webhooktest.OK()
			answer.Header, answer.Body = http.Header{"Content-Encoding": {"gzip"}}, packed(t, answerText, asGzip)
			srv.Answer(answer)
			var o observed
			var replies []Reply
			r := rigged(t, Config{
				Dial: srv.Dial, Observe: o.see, Actions: func(r Reply) { replies = append(replies, r) },
				Endpoints: []Endpoint{{Name: "main", URL: srv.URL, Secrets: []Secret{testSecret}, Header: c.configured}},
			})
			defer r.stop()
			r.journal.append("A", started)
			r.drain(t)
			if len(replies) != 1 || string(replies[0].Body) != answerText || replies[0].Err != nil {
				t.Errorf("got replies %+v, want one with the actions", replies)
			}
			if a := o.seen()[0]; string(a.Answer) != answerText || a.AnswerErr != nil {
				t.Errorf("got attempt %+v, want the text of the answer", a)
			}
			if got := srv.Requests()[0].Header.Get("Accept-Encoding"); got != c.want {
				t.Errorf("got Accept-Encoding %q, want %q", got, c.want)
			}
		})
	}
}
