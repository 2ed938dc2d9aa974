package sandbox_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"aldeabridge/aldea/sandbox"
)

// unstable is what differs from run to run whatever the seed.
var unstable = regexp.MustCompile(`"(request_id|created)":"[^"]*"`)

func mixedRun(t *testing.T, seed uint64, streams int) (all [][]string) {
	t.Helper()
	opts := sandbox.Options{Source: three(), Profile: sandbox.ProfileMixed, Seed: seed, LongFinal: 2 * time.Second}
	bubble(t, opts, func(t *testing.T, srv *sandbox.Server) {
		for range streams {
			got := converse(t, srv, "vad_events=true&utterance_end_ms=1000", 11*time.Second)
			if text := utterances(got); !slices.Equal(text, threeTexts) {
				t.Errorf("seed %d: got %q, want %q", seed, text, threeTexts)
			}
			for i := range got {
				got[i] = unstable.ReplaceAllString(got[i], `"$1":""`)
			}
			all = append(all, got)
		}
	})
	return all
}

func TestMixedMessagesRepeatWithTheirSeed(t *testing.T) {
	once, again, other := mixedRun(t, 1, 2), mixedRun(t, 1, 2), mixedRun(t, 2, 1)
	for i := range once {
		if !slices.Equal(once[i], again[i]) {
			t.Errorf("stream %d: got other messages with the same seed: %q and %q", i, once[i], again[i])
		}
	}
	if slices.Equal(once[0], other[0]) || slices.Equal(once[0], once[1]) {
		t.Error("got the same messages with another seed, or twice in a row")
	}
}

func TestMixedMessagesGoOverRealSockets(t *testing.T) {
	srv := serve(t, sandbox.Options{Source: three(), Profile: sandbox.ProfileMixed, LongFinal: 2 * time.Second,
		Fault: sandbox.Fault{Latency: 5 * time.Millisecond, Jitter: 20 * time.Millisecond, Burst: 10 * time.Millisecond, Huge: true}})
	for range 5 {
		if got := utterances(converse(t, srv, "utterance_end_ms=1000", 11*time.Second)); !slices.Equal(got, threeTexts) {
			t.Errorf("got %q, want %q", got, threeTexts)
		}
	}
}

func TestMixedMessagesHaveEveryShape(t *testing.T) {
	var all []string
	empty, repeated, first, last := 0, 0, 0, 0
	for _, messages := range mixedRun(t, 3, 20) {
		all = append(all, messages...)
		results := briefs(messages)
		for i, s := range results {
			if strings.HasPrefix(s, " ") && strings.HasSuffix(s, "final end") {
				empty++
			}
			if i > 0 && s == results[i-1]+" end" {
				repeated++
			}
		}
		if strings.Contains(messages[0], `"Metadata"`) {
			first++
		}
		if strings.Contains(messages[len(messages)-1], `"Metadata"`) {
			last++
		}
	}
	joined := strings.Join(all, "\n")
	for name, shape := range map[string]string{
		"words as arrays":       `"words":\[\["`,
		"with decimals":         `"words":\[\["\w+",\d+\.0,`,
		"words as objects":      `"words":\[{"word":`,
		"punctuated":            `"punctuated_word":`,
		"no words, empty":       `"transcript":"\w[^"]*","confidence":[\d.]+,"words":\[\]`,
		"no words, null":        `"words":null`,
		"no list of words":      `"transcript":"\w[^"]*","confidence":[\d.]+}`,
		"one channel":           `"channel_index":\[0\]`,
		"one channel of one":    `"channel_index":\[0,1\]`,
		"no metadata":           `\]}\]}}\n`,
		"request_id alone":      `"metadata":{"request_id":""}`,
		"model_info":            `"metadata":{"request_id":"","model_info":{"name":`,
		"model_info by model":   `"metadata":{"request_id":"","model_info":{"5a4d`,
		"model_uuid":            `"model_uuid":`,
		"version null":          `"version":null`,
		"version empty":         `"Results".*"version":""`,
		"from_finalize":         `"from_finalize":false`,
		"flags left out":        `"is_final":true,"channel"`,
		"extra fields":          `"x_tree"`,
		"Metadata by model":     `"type":"Metadata","transaction_key"`,
		"Metadata with a model": `"type":"Metadata","request_id"`,
		"silence in interims":   `"is_final":false.*"transcript":""`,
		"SpeechStarted, pair":   `"SpeechStarted","channel":\[0,1\]`,
		"UtteranceEnd, single":  `"UtteranceEnd","channel":\[0\]`,
	} {
		if !regexp.MustCompile(shape).MatchString(joined) {
			t.Errorf("got no message with %s (%s)", name, shape)
		}
	}
	if empty == 0 || repeated == 0 || first == 0 || first == 20 || last == 0 || last == 20 {
		t.Errorf("got %d empty and %d repeated ends of speech, %d first and %d last Metadata of 20; want some of each", empty, repeated, first, last)
	}
}

func TestWhatIsSaidDoesNotDependOnHowAudioIsCut(t *testing.T) {
	f := sandbox.Fault{Mixed: true, Seed: 9, Duplicate: true, EmptyFinals: true, CloseAfter: 9 * time.Second}
	var runs [][]string
	bubble(t, sandbox.Options{Source: three(), Fault: f}, func(t *testing.T, srv *sandbox.Server) {
		for _, size := range []int{320, 3333, 1 << 20} {
			c := dial(t, srv, "")
			wait := c.hearing()
			for b := bytes16(silence(10*time.Second, 8000)); len(b) > 0; b = b[min(size, len(b)):] {
				if c.conn.WriteMessage(2, b[:min(size, len(b))]) != nil {
					break
				}
			}
			all, err := wait()
			wantClose(t, err, 1011)
			texts := textsOf(all)
			for i := range texts {
				texts[i] = unstable.ReplaceAllString(texts[i], `"$1":""`)
			}
			runs = append(runs, slices.DeleteFunc(texts, func(s string) bool { return strings.Contains(s, `"Metadata"`) })) // its hash is of the bytes taken up
		}
	})
	for i, run := range runs {
		if !slices.Equal(run, runs[0]) {
			t.Errorf("run %d: got %q, want %q", i, run, runs[0])
		}
	}
}
