package aldea

import (
	"encoding/json"
	"slices"
	"testing"
	"time"
)

// wordLists are lists of words, and whether they are read without encoding/json.
var wordLists = []struct {
	list string
	fast bool
}{
	{`[["hello",12.0,340.0],["wörld",360,1e3]]`, true},
	{"[ [\"hello\" , 12.5,\t340 ] ,[\"a, b]\",1,2]\n]", true},
	{`[["",-1,0]]`, true},
	{`[]`, false},
	{`[["say \"hi\"",1,2]]`, false},
	{`[["hello",1,2,0.9]]`, false},
	{`[["hello",null,2]]`, false},
	{`[["hello","1",2]]`, false},
	{`[["hello",[1],2]]`, false},
	{`[["hello",1]]`, false},
	{`[{"word":"hello","start":0.1,"end":0.2}]`, false},
	{`["hello"]`, false},
	{`null`, false},
	{"[[\"\xff\",1,2]]", false},
}

// slowWords is what encoding/json makes of a list.
func slowWords(list []byte) []Word {
	var wire []wireWord
	if json.Unmarshal(list, &wire) != nil {
		return nil
	}
	var words []Word
	for _, w := range wire {
		words = append(words, Word(w))
	}
	return words
}

func TestWordsAreScannedAsEncodingJSONReadsThem(t *testing.T) {
	for _, tt := range wordLists {
		words, fast := scanWords([]byte(tt.list))
		if fast != tt.fast {
			t.Errorf("%s: read without encoding/json: %t, want %t", tt.list, fast, tt.fast)
		}
		if want := slowWords([]byte(tt.list)); fast && !slices.Equal(words, want) {
			t.Errorf("%s: got %v, want %v", tt.list, words, want)
		}
	}
}

func FuzzWords(f *testing.F) {
	for _, tt := range wordLists {
		f.Add([]byte(tt.list))
	}
	f.Fuzz(func(t *testing.T, list []byte) {
		if !json.Valid(list) {
			return // the message it is part of was refused
		}
		if words, ok := scanWords(list); ok && !slices.Equal(words, slowWords(list)) {
			t.Errorf("%q: got %v, want %v", list, words, slowWords(list))
		}
	})
}

func BenchmarkResults(b *testing.B) {
	data := []byte(`{"type":"Results","channel_index":[0,1],"duration":3.300,"start":5.000,"is_final":true,"speech_final":true,` +
		`"channel":{"alternatives":[{"transcript":"my order is late and I want to know why","confidence":0.98,"words":[["my",5000,5200],` +
		`["order",5200,5500],["is",5500,5600],["late",5600,6000],["and",6000,6200],["I",6200,6300],["want",6300,6500],["to",6500,6600],` +
		`["know",6600,6900],["why",6900,7200]]}]}}`)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		m, _, err := decode(data)
		if r, ok := m.(*Results); !ok || err != nil || len(r.Words) != 10 || r.Words[9].End != 7200*time.Millisecond {
			b.Fatalf("got %v, %v", m, err)
		}
	}
}
