package client

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// streams are streams and what is to be read from them.
var streams = []struct {
	name   string
	in     string
	want   []Message
	lastID string
}{
	{"an event as bridge sends it", "id: 7\nevent: call.started\ndata: {\"a\":1}\n\n",
		[]Message{{ID: "7", Type: "call.started", Data: []byte(`{"a":1}`)}}, "7"},
	{"an interim has the id of what came before", "id: 7\nevent: a\ndata: 1\n\nevent: b\ndata: 2\n\n",
		[]Message{{ID: "7", Type: "a", Data: []byte("1")}, {ID: "7", Type: "b", Data: []byte("2")}}, "7"},
	{"an id without data counts and is no event", "id: 9\n\ndata: x\n\n", []Message{{ID: "9", Type: "message", Data: []byte("x")}}, "9"},
	{"an id that was not completed does not count", "id: 1\ndata: x\n\nid: 2\ndata: y", []Message{{ID: "1", Type: "message", Data: []byte("x")}}, "1"},
	{"an empty id takes it back", "id: 1\ndata: x\n\nid\ndata: y\n\n",
		[]Message{{ID: "1", Type: "message", Data: []byte("x")}, {Type: "message", Data: []byte("y")}}, ""},
	{"an id with a zero byte is not one", "id: a\x00b\ndata: x\n\n", []Message{{Type: "message", Data: []byte("x")}}, ""},
	{"a heartbeat", ": heartbeat\n\n", []Message{{Comment: "heartbeat"}}, ""},
	{"a comment within an event", "data: a\n:c\ndata: b\n\n", []Message{{Comment: "c"}, {Type: "message", Data: []byte("a\nb")}}, ""},
	{"every end of line", "data: a\r\rdata: b\r\n\r\ndata: c\n\n",
		[]Message{{Type: "message", Data: []byte("a")}, {Type: "message", Data: []byte("b")}, {Type: "message", Data: []byte("c")}}, ""},
	{"one space goes, a second stays", "data:a\n\ndata:  b\n\n", []Message{{Type: "message", Data: []byte("a")}, {Type: "message", Data: []byte(" b")}}, ""},
	{"a byte order mark", "\uFEFFdata: a\n\n", []Message{{Type: "message", Data: []byte("a")}}, ""},
	{"empty data is data", "data\n\ndata\ndata\n\n", []Message{{Type: "message", Data: []byte("")}, {Type: "message", Data: []byte("\n")}}, ""},
	{"fields nobody knows", "foo: 1\nbar\nEVENT: x\ndata: a\n\n", []Message{{Type: "message", Data: []byte("a")}}, ""},
	{"nothing", "\n\n\n", nil, ""},
}

func TestStreamsAreReadAsTheStandardSays(t *testing.T) {
	for _, tt := range streams {
		t.Run(tt.name, func(t *testing.T) {
			for how, in := range map[string]io.Reader{"at once": strings.NewReader(tt.in), "byte by byte": iotest.OneByteReader(strings.NewReader(tt.in))} {
				r := newReader(in)
				if got := readAll(t, r); !reflect.DeepEqual(got, tt.want) {
					t.Errorf("%s: got %q, want %q", how, got, tt.want)
				}
				if r.lastID != tt.lastID {
					t.Errorf("%s: got the last id %q, want %q", how, r.lastID, tt.lastID)
				}
			}
		})
	}
}

// A message is handed out as soon as its last byte is there, although the line's end could have another.
func TestAMessageDoesNotWaitForTheNext(t *testing.T) {
	for _, in := range []string{"data: a\n\n", "data: a\r\r", "data: a\r\n\r\n"} {
		pr, pw := io.Pipe()
		go func() { _, _ = pw.Write([]byte(in)) }() // and then nothing
		m, err := newReader(pr).next()
		if err != nil || string(m.Data) != "a" {
			t.Errorf("%q: got %q, %v", in, m.Data, err)
		}
		_ = pr.Close()
	}
}

func TestTheServerSaysHowLongToWait(t *testing.T) {
	r := newReader(strings.NewReader("retry: 2000\n\nretry: soon\nretry: -1\nretry: 99999999999999999999\n\n"))
	if got := readAll(t, r); got != nil || r.retry != 2*time.Second {
		t.Errorf("got %v and %v, want nothing and 2 s", got, r.retry)
	}
}

func TestAMessageWithoutEndIsRefused(t *testing.T) {
	endless := io.MultiReader(strings.NewReader("data: "), io.LimitReader(zeros{}, largestMessage+1))
	if _, err := newReader(endless).next(); !errors.Is(err, ErrTooLong) {
		t.Errorf("one line: got %v, want ErrTooLong", err)
	}
	lines := strings.NewReader(strings.Repeat("data: "+strings.Repeat("x", 1<<20)+"\n", 17))
	if _, err := newReader(lines).next(); !errors.Is(err, ErrTooLong) {
		t.Errorf("many lines: got %v, want ErrTooLong", err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func readAll(t testing.TB, r *reader) (all []Message) {
	t.Helper()
	for {
		m, err := r.next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
}

// Whatever comes, the reader neither fails nor depends on how the bytes are cut; and what it read means the same
// when it is written again.
func FuzzReader(f *testing.F) {
	for _, tt := range streams {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got := readAll(t, newReader(bytes.NewReader(in)))
		if cut := readAll(t, newReader(iotest.OneByteReader(bytes.NewReader(in)))); !reflect.DeepEqual(got, cut) {
			t.Fatalf("got %q, and byte by byte %q", got, cut)
		}
		var again bytes.Buffer
		for _, m := range got {
			if m.Type == "" {
				again.WriteString(": " + m.Comment + "\n")
				continue
			}
			again.WriteString("id: " + m.ID + "\nevent: " + m.Type + "\n")
			for line := range bytes.SplitSeq(m.Data, []byte("\n")) {
				again.WriteString("data: " + string(line) + "\n")
			}
			again.WriteString("\n")
		}
		if second := readAll(t, newReader(&again)); !reflect.DeepEqual(got, second) {
			t.Fatalf("got %q, and of the same written again %q", got, second)
		}
	})
}
