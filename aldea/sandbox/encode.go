package sandbox

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
)

// An encoder writes the messages of one stream as JSON, letter by letter.
type encoder struct {
	profile   Profile
	requestID string
	model     string // the first word of the source's name
	created   time.Time
}

// modelUUID stands in for the model's id in ProfileDeepgram, where model_info is keyed by it.
const modelUUID = "5a4d2b0c-0000-4000-8000-73616e64626f"

// metadata is sent at open by one profile and at the end by the other. sha256 is that of the audio in hexadecimal.
func (e *encoder) metadata(duration time.Duration, sha256 string) string {
	var b strings.Builder
	b.WriteString(`{"type":"Metadata",`)
	if e.profile == ProfileDeepgram {
		b.WriteString(`"transaction_key":"deprecated",`)
	}
	b.WriteString(`"request_id":` + quote(e.requestID))
	if e.profile == ProfileDeepgram {
		b.WriteString(`,"sha256":` + quote(sha256))
	}
	b.WriteString(`,"created":` + quote(e.created.UTC().Format("2006-01-02T15:04:05.000000Z")))
	b.WriteString(`,"duration":` + seconds(duration))
	switch {
	case e.profile == ProfileAldea:
		b.WriteString(`,"channels":1,"model_info":` + e.modelInfo(`""`))
	case duration > 0:
		id := quote(modelUUID)
		b.WriteString(`,"channels":1,"models":[` + id + `],"model_info":{` + id + `:` + e.modelInfo(`"sandbox"`) + `}`)
	default:
		b.WriteString(`,"channels":0`)
	}
	b.WriteByte('}')
	return b.String()
}

// modelInfo describes the source. version is JSON already: it is "" in one message and null in another.
func (e *encoder) modelInfo(version string) string {
	arch := "aldea-asr"
	if e.profile == ProfileDeepgram {
		arch = "sandbox"
	}
	return `{"name":` + quote("sandbox-"+e.model) + `,"version":` + version + `,"arch":"` + arch + `"}`
}

func (e *encoder) results(r result) string {
	var b strings.Builder
	b.WriteString(`{"type":"Results","channel_index":` + e.channel())
	// Both ends are rounded before they are subtracted, so that one final's end is exactly the next one's start.
	start, end := r.start.Round(time.Microsecond), r.end.Round(time.Microsecond)
	b.WriteString(`,"duration":` + seconds(end-start))
	b.WriteString(`,"start":` + seconds(start))
	b.WriteString(`,"is_final":` + strconv.FormatBool(r.final))
	b.WriteString(`,"speech_final":` + strconv.FormatBool(r.final && r.speech))
	b.WriteString(`,"channel":{"alternatives":[{"transcript":` + quote(transcript(r.words)))
	b.WriteString(`,"confidence":` + number(confidence(r.words)))
	b.WriteString(`,"words":[`)
	for i, w := range r.words {
		if i > 0 {
			b.WriteByte(',')
		}
		e.word(&b, w)
	}
	b.WriteString(`]}]},"metadata":{"request_id":` + quote(e.requestID))
	if e.profile == ProfileDeepgram {
		b.WriteString(`,"model_info":` + e.modelInfo(`"sandbox"`) + `,"model_uuid":` + quote(modelUUID))
		b.WriteString(`},"from_finalize":` + strconv.FormatBool(r.fromFinalize) + `}`)
	} else {
		b.WriteString(`,"model_info":` + e.modelInfo(`null`) + `}}`)
	}
	return b.String()
}

func (e *encoder) word(b *strings.Builder, w Word) {
	if e.profile == ProfileDeepgram {
		b.WriteString(`{"word":` + quote(w.Text) + `,"start":` + seconds(w.Start) + `,"end":` + seconds(w.End) +
			`,"confidence":` + number(w.Confidence) + `}`)
		return
	}
	b.WriteString(`[` + quote(w.Text) + `,` + millis(w.Start) + `,` + millis(w.End) + `]`)
}

func (e *encoder) speechStarted(at time.Duration) string {
	return `{"type":"SpeechStarted","channel":` + e.channel() + `,"timestamp":` + seconds(at) + `}`
}

func (e *encoder) utteranceEnd(lastWordEnd time.Duration) string {
	return `{"type":"UtteranceEnd","channel":` + e.channel() + `,"last_word_end":` + seconds(lastWordEnd) + `}`
}

func (e *encoder) failure(variant, description string) string {
	return `{"type":"Error","variant":` + quote(variant) + `,"description":` + quote(description) +
		`,"message":` + quote(description) + `}`
}

// channel is the index of the only channel; Deepgram adds how many there are.
func (e *encoder) channel() string {
	if e.profile == ProfileDeepgram {
		return "[0,1]"
	}
	return "[0]"
}

// refusal is the body of an HTTP error.
func refusal(profile Profile, code, message, requestID string) string {
	if profile == ProfileDeepgram {
		return `{"err_code":` + quote(code) + `,"err_msg":` + quote(message) + `,"request_id":` + quote(requestID) + `}`
	}
	return `{"error":` + quote(message) + `,"request_id":` + quote(requestID) + `}`
}

func transcript(words []Word) string {
	texts := make([]string, len(words))
	for i, w := range words {
		texts[i] = w.Text
	}
	return strings.Join(texts, " ")
}

// confidence of a result is the mean of its words', 0 without words.
func confidence(words []Word) float64 {
	if len(words) == 0 {
		return 0
	}
	var sum float64
	for _, w := range words {
		sum += w.Confidence
	}
	return sum / float64(len(words))
}

func quote(s string) string {
	b, err := json.Marshal(s)
	if err != nil { // strings always marshal
		return `""`
	}
	return string(b)
}

// seconds writes a time in seconds to the microsecond, with at least one decimal.
func seconds(d time.Duration) string {
	s := strconv.FormatFloat(float64(d.Round(time.Microsecond).Microseconds())/1e6, 'f', 6, 64)
	s = strings.TrimRight(s, "0")
	if strings.HasSuffix(s, ".") {
		s += "0"
	}
	return s
}

func millis(d time.Duration) string {
	return strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10)
}

func number(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

// modelName is the model's name in messages: the first word of the source's own.
func modelName(s Source) string {
	name, _, _ := strings.Cut(s.Name(), " ")
	return name
}
