package api

import (
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// hostile is what callers may say and carriers may call things.
var hostile = []string{
	"=HYPERLINK(\"http://evil.example\")", "+1 more", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\u200b=1", "＝1", "a;=1;+2;b", "a\n=1", ",=1",
	"\x1b[2J\x1b]0;title\x07", "<script>alert(1)</script> &amp; &", "1\n00:00:09,000 --> 00:00:10,000\nnot a cue", "WEBVTT\n\nNOTE x", "-->",
	"שלום \u202etxt.exe", "電話 👩‍👩‍👧", "not UTF-8 \xff", "nul\x00", "\u2028\u0085", strings.Repeat("long ", 20_000), `"quoted", 'single'`, "",
}

// newTranscriptRig starts an API with a call that has two streams, and one that has hostile texts.
func newTranscriptRig(t testing.TB) *rig {
	t.Helper()
	r := newRig(t, nil)
	first, second, third := events.Call{ID: "CA1", StreamID: "MZ1"}, events.Call{ID: "CA1", StreamID: "MZ2"}, events.Call{ID: "CA1", StreamID: "MZ3"}
	r.journal.add(t, first, epoch, events.CallStarted{})
	r.journal.add(t, first, epoch.Add(9*time.Second), said("u2", "the second", 5*time.Second, 8*time.Second))
	r.journal.add(t, first, epoch.Add(10*time.Second), said("u1", "the first", 1500*time.Millisecond, 4*time.Second))
	r.journal.add(t, second, epoch.Add(time.Hour), events.CallStarted{Resumed: true})
	r.journal.add(t, second, epoch.Add(time.Hour+3*time.Second), said("u3", "back again", time.Hour+time.Second, time.Hour+2*time.Second))
	r.journal.add(t, third, epoch.Add(2*time.Hour), events.CallStarted{Resumed: true})
	r.journal.add(t, third, epoch.Add(2*time.Hour+2*time.Second), said("u4", "once more", 2*time.Hour+59*time.Second+990*time.Millisecond, 2*time.Hour+time.Minute))
	h := events.Call{ID: "=CA2/\x1b", StreamID: "MZ3"}
	r.journal.add(t, h, epoch, events.CallStarted{})
	for i, text := range hostile {
		r.journal.add(t, h, epoch, said("-u", text, time.Duration(i)*time.Second, time.Duration(i+1)*time.Second))
	}
	return r
}

func TestATranscriptHasFiveFormats(t *testing.T) {
	r := newTranscriptRig(t)
	for _, c := range []struct{ format, accept, contentType, want string }{
		{"text", "text/plain", "text/plain; charset=utf-8", "[0:01.5] caller: the first\n[0:05.0] caller: the second\n" +
			"[60:01.0] caller: back again\n[120:59.9] caller: once more\n"},
		{"srt", "application/x-subrip", "application/x-subrip; charset=utf-8", "1\n00:00:01,500 --> 00:00:04,000\ncaller: the first\n\n" +
			"2\n00:00:05,000 --> 00:00:08,000\ncaller: the second\n\n3\n01:00:01,000 --> 01:00:02,000\ncaller: back again\n\n" +
			"4\n02:00:59,990 --> 02:01:00,000\ncaller: once more\n\n"},
		{"vtt", "text/vtt", "text/vtt; charset=utf-8", "WEBVTT\n\n1\n00:00:01.500 --> 00:00:04.000\n<v caller>the first\n\n" +
			"2\n00:00:05.000 --> 00:00:08.000\n<v caller>the second\n\n3\n01:00:01.000 --> 01:00:02.000\n<v caller>back again\n" +
			"\n4\n02:00:59.990 --> 02:01:00.000\n<v caller>once more\n"},
		{"csv", "text/csv", "text/csv; charset=utf-8; header=present", "call_id,utterance_id,index,speaker,start_ms,end_ms,confidence,language,ended_by,text\r\n" +
			"CA1,u1,1,caller,1500,4000,0.97,en,speech_final,the first\r\nCA1,u2,1,caller,5000,8000,0.97,en,speech_final,the second\r\n" +
			"CA1,u3,1,caller,3601000,3602000,0.97,en,speech_final,back again\r\nCA1,u4,1,caller,7259990,7260000,0.97,en,speech_final,once more\r\n"},
	} {
		byName, byHeader := r.ask(t, "GET", "/v1/calls/CA1/transcript?format="+c.format, ""), r.ask(t, "GET", "/v1/calls/CA1/transcript", "", "Accept: "+c.accept)
		for _, got := range []answered{byName, byHeader} {
			if got.status != 200 || got.body != c.want || got.header.Get("Content-Type") != c.contentType {
				t.Errorf("%s: got %d %s\n%s\nwant\n%s", c.format, got.status, got.header.Get("Content-Type"), got.body, c.want)
			}
		}
	}
	for _, accept := range []string{"", "*/*", "image/png", "application/json"} {
		got := r.ask(t, "GET", "/v1/calls/CA1/transcript", "", "Accept: "+accept)
		if got.status != 200 || !strings.HasPrefix(got.body, `{"call":{"id":"CA1"`) || got.header.Get("Vary") != "Accept" {
			t.Errorf("Accept %q: got %d %s, want JSON", accept, got.status, got.body)
		}
	}
	r.ask(t, "GET", "/v1/calls/CA1/transcript?format=xml", "").problem(t, 400, "json, text, srt, vtt, csv")
	r.ask(t, "GET", "/v1/calls/none/transcript", "").problem(t, 404, "none")
	if got := r.ask(t, "GET", "/v1/calls/%3DCA2%2F%1B/transcript?format=srt", "").header.Get("Content-Disposition"); got != `attachment; filename="transcript-_CA2__.srt"` {
		t.Errorf("got %s, want a name that is safe", got)
	}
}

func TestATranscriptInJSONKeepsEveryWord(t *testing.T) {
	r := newTranscriptRig(t)
	var got types.Transcript
	if err := json.Unmarshal([]byte(r.ask(t, "GET", "/v1/calls/%3DCA2%2F%1B/transcript", "").body), &got); err != nil {
		t.Fatal(err)
	}
	for i, text := range hostile {
		if want := strings.ToValidUTF8(text, "\uFFFD"); got.Utterances[i].Text != want {
			t.Errorf("got %q, want %q", got.Utterances[i].Text, want)
		}
	}
}

// FFmpeg, which shares nothing with us, finds each utterance that has a text as one subtitle at its time.
func TestFFprobeReadsTheSubtitles(t *testing.T) {
	r := newTranscriptRig(t)
	for format, codec := range map[string]string{"srt": "subrip", "vtt": "webvtt"} {
		file, body := filepath.Join(t.TempDir(), "x."+format), r.ask(t, "GET", "/v1/calls/%3DCA2%2F%1B/transcript?format="+format, "").body
		if err := os.WriteFile(file, []byte(body), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("ffprobe", "-v", "error", "-of", "json", "-show_entries", "stream=codec_name:packet=pts_time,duration_time", file).Output()
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		var found struct {
			Streams []struct {
				Codec string `json:"codec_name"`
			}
			Packets []struct {
				At       string `json:"pts_time"`
				Duration string `json:"duration_time"`
			}
		}
		if err := json.Unmarshal(out, &found); err != nil {
			t.Fatal(err)
		}
		if len(found.Streams) != 1 || found.Streams[0].Codec != codec {
			t.Errorf("%s: got %v, want one stream of %s", format, found.Streams, codec)
		}
		var at []string
		for i, text := range hostile {
			if strings.TrimSpace(plain(text)) != "" {
				at = append(at, time.Duration(i*int(time.Second)).String())
			}
		}
		if arrows := strings.Count(body, "-->"); len(found.Packets) != len(at) || arrows != len(at) {
			t.Fatalf("%s: got %d subtitles and %d arrows, want %d", format, len(found.Packets), arrows, len(at))
		}
		for i, p := range found.Packets {
			if d, err := time.ParseDuration(p.At + "s"); err != nil || d.String() != at[i] || p.Duration != "1.000000" {
				t.Errorf("%s: subtitle %d is at %s for %s, want %s for a second", format, i+1, p.At, p.Duration, at[i])
			}
		}
	}
}

// Whatever separates cells where the file is opened, none of them is a formula.
func TestNoCellIsAFormula(t *testing.T) {
	r := newTranscriptRig(t)
	body := r.ask(t, "GET", "/v1/calls/%3DCA2%2F%1B/transcript?format=csv", "").body
	for _, separator := range []rune{',', ';', '\t'} {
		checkCells(t, body, separator)
	}
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || len(rows) != len(hostile)+1 {
		t.Fatalf("got %d rows, %v, want %d", len(rows), err, len(hostile)+1)
	}
	if last := len(csvColumns) - 1; rows[1][last] != "'"+hostile[0] || rows[10][last] != "a;'=1;'+2;b" {
		t.Errorf("got %q and %q, want what was said behind an apostrophe", rows[1][last], rows[10][last])
	}
}

// checkCells fails if a cell looks like a formula and is no number.
func checkCells(t testing.TB, body string, separator rune) {
	t.Helper()
	reader := csv.NewReader(strings.NewReader(body))
	reader.Comma, reader.LazyQuotes, reader.FieldsPerRecord = separator, true, -1
	rows, err := reader.ReadAll()
	if err != nil {
		t.Fatalf("separated by %q: %v", separator, err)
	}
	for _, row := range rows {
		for _, one := range row {
			if seen := strings.TrimLeft(one, " \t\r\n\u00a0\u200b\ufeff"); seen != "" && strings.ContainsAny(seen[:1], "=+-@\t\r") {
				t.Errorf("separated by %q: a cell begins like a formula: %.40q", separator, one)
			}
		}
	}
}

func FuzzCell(f *testing.F) {
	for _, text := range hostile {
		f.Add(text[:min(len(text), 100)])
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b strings.Builder
		if err := writeCSV(&b, types.Transcript{Utterances: []types.Utterance{{Utterance: events.Utterance{Text: text}}}}); err != nil {
			t.Fatal(err)
		}
		for _, separator := range []rune{',', ';'} {
			checkCells(t, b.String(), separator)
		}
	})
}
