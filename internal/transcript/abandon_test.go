package transcript

import (
	"strings"
	"testing"

	"aldeabridge/events"
)

func TestWordsThatNeverBecomeFinal(t *testing.T) {
	long := strings.TrimSpace(strings.Repeat("word ", 500))
	give := []step{interim("alpha beta gamma", 0, 0.8), tick(10), finalizing("yes"), tick(20)}
	given := []string{"t-1: alpha beta gamma", "t-1= alpha beta gamma (timeout) unconfirmed"}
	words := func(r Result, all ...Word) Result { r.Words = all; return r }
	for _, tt := range []struct {
		name  string
		steps []step // those after give
		want  []string
	}{
		{"nothing comes", []step{closing(true)}, nil},
		{"the final comes late", []step{speechFinal("Alpha, beta gamma.", 0, 1)}, nil},
		{"with other words", []step{speechFinal("alpha better gamma", 0, 0.9)}, nil},
		{"with other words, and the silence after them", []step{wordless(speechFinal("alpha better gamma", 0, 9))}, nil},
		{"with other words, and more of them", []step{wordless(speechFinal("alpha better gamma delta", 0, 9))}, []string{"t-2= delta (speech_final)"}},
		{"with word times that differ", []step{words(speechFinal("alpha betas gamma", 0, 9), Word{"alpha", 0, sec(0.3)}, Word{"betas", sec(0.3), sec(0.8)},
			Word{"gamma", sec(0.8), sec(1.2)})}, nil},
		{"with fewer words", []step{speechFinal("alpha beta", 0, 9)}, nil},
		{"without times", []step{wordless(speechFinal("alpha beta gamma", 0, 0))}, nil},
		{"twice", []step{final("alpha beta gamma", 0, 9), speechFinal("alpha beta gamma", 0, 9)}, nil},
		{"with more words", []step{wordless(speechFinal("alpha beta gamma delta", 0, 3))}, []string{"t-2= delta (speech_final)"}},
		{"with more words and times", []step{words(speechFinal("alpha betas gamma delta", 0, 3), Word{"alpha", 0, sec(0.3)}, Word{"betas", sec(0.3), sec(0.5)},
			Word{"gamma", sec(0.5), sec(0.8)}, Word{"delta", sec(2), sec(3)})}, []string{"t-2= delta (speech_final)"}},
		{"an interim first", []step{interim("alpha beta", 0, 0.7), interim("alpha beta gamma", 0, 1), speechFinal("alpha beta gamma", 0, 1)}, nil},
		{"the caller goes on", []step{interim("delta", 2, 3), speechFinal("delta", 2, 3)}, []string{"t-2: delta", "t-2= delta (speech_final)"}},
		{"the same words again", []step{speechFinal("alpha beta gamma", 20, 21)}, []string{"t-2= alpha beta gamma (speech_final)"}},
		{"UtteranceEnd", []step{utterEnd(0.8), finalizing("no")}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, play(t, New(Options{Prefix: "t"}), append(append([]step(nil), give...), tt.steps...)), append(append([]string(nil), given...), tt.want...))
		})
	}
	for _, tt := range []struct {
		name  string
		steps []step
		want  []string
	}{
		{"Finalize is answered", []step{interim("alpha", 0, 1), tick(10), finalizing("yes"), final("alpha.", 0, 1.2)},
			[]string{"t-1: alpha", "t-1= alpha. (timeout)"}},
		{"finals wait for the words behind them", []step{final("alpha", 0, 1), interim("beta", 1, 2), tick(10), finalizing("yes"), tick(20)},
			[]string{"t-1: alpha", "t-1: alpha beta", "t-1= alpha beta (timeout) unconfirmed"}},
		{"an interim that is only repeated", []step{interim("alpha", 0, 1), tick(10), finalizing("yes"), interim("alpha", 0, 12), tick(20)},
			[]string{"t-1: alpha", "t-1= alpha (timeout) unconfirmed"}},
		{"UtteranceEnd asked already", []step{interim("alpha", 0, 1), utterEnd(1), finalizing("yes"), tick(20)},
			[]string{"t-1: alpha", "t-1= alpha (timeout) unconfirmed"}},
		{"an interim without end", []step{interim(long, 0, 70), tick(0), finalizing("yes"), interim(long+" more", 0, 71), tick(20), interim(long+" more and", 0, 72)},
			[]string{"t-1: " + long, "t-1: " + long + " more", "t-1= " + long + " more (timeout) unconfirmed", "t-2: and"}},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, play(t, New(Options{Prefix: "t"}), tt.steps), tt.want) })
	}
}

func compare(t *testing.T, got []events.Body, want []string) {
	t.Helper()
	var texts []string
	for _, body := range got {
		texts = append(texts, brief(body))
	}
	if strings.Join(texts, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(texts, "\n\t"), strings.Join(want, "\n\t"))
	}
}
