package sandbox_test

import (
	"encoding/json"
	"strings"
)

// utterances puts together what a talker said, as a careful client does: finals up to speech_final or UtteranceEnd,
// each stretch of time once. It shares nothing with the project's own client.
func utterances(messages []string) []string {
	var a assembly
	for _, text := range messages {
		var m map[string]any
		if json.Unmarshal([]byte(text), &m) != nil {
			continue
		}
		switch m["type"] {
		case "Results":
			a.result(m)
		case "UtteranceEnd":
			a.end()
		}
	}
	a.end()
	return a.done
}

type assembly struct {
	done      []string
	parts     []string
	committed float64 // seconds; what ends before has been taken
}

func (a *assembly) end() {
	if len(a.parts) > 0 {
		a.done = append(a.done, strings.Join(a.parts, " "))
		a.parts = nil
	}
}

func (a *assembly) result(m map[string]any) {
	final, _ := m["is_final"].(bool)
	speech, _ := m["speech_final"].(bool)
	if !final && !speech {
		return
	}
	start := m["start"].(float64)
	end := start + m["duration"].(float64)
	best := m["channel"].(map[string]any)["alternatives"].([]any)[0].(map[string]any)
	text := best["transcript"].(string)
	const epsilon = 1e-6
	switch {
	case end <= a.committed+epsilon:
		text = ""
	case start < a.committed-epsilon:
		text = after(best["words"], start, a.committed)
	}
	if text != "" {
		a.parts = append(a.parts, text)
	}
	a.committed = max(a.committed, end)
	if speech {
		a.end()
	}
}

// after is the text of the words whose middle lies at or after a time.
func after(words any, start, time float64) string {
	var texts []string
	list, _ := words.([]any)
	origin := 0.0
	for i, w := range list {
		text, from, to := decodeWord(w)
		if i == 0 && start > 1 && from < start-0.5 {
			origin = start
		}
		if origin+(from+to)/2 >= time {
			texts = append(texts, text)
		}
	}
	return strings.Join(texts, " ")
}

// decodeWord reads a word of either shape, its times in seconds.
func decodeWord(w any) (text string, from, to float64) {
	if a, ok := w.([]any); ok {
		return a[0].(string), a[1].(float64) / 1000, a[2].(float64) / 1000
	}
	o := w.(map[string]any)
	return o["word"].(string), o["start"].(float64), o["end"].(float64)
}
