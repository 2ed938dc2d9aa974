package sandbox

import (
	"encoding/json"
	"math/rand/v2"
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
	fault     *Fault     // the worker's: Heal changes it
	random    *rand.Rand // for Fault.Mixed
}

// modelUUID stands in for the model's id where model_info is keyed by it.
const modelUUID = "5a4d2b0c-0000-4000-8000-73616e64626f"

// metadata is sent at open, at the end, or both. sha256 is that of the audio in hexadecimal.
func (e *encoder) metadata(duration time.Duration, sha256 string) string {
	s := e.format()
	var b strings.Builder
	b.WriteString(`{"type":"Metadata",`)
	if s.byModel {
		b.WriteString(`"transaction_key":"deprecated",`)
	}
	b.WriteString(`"request_id":` + quote(e.requestID))
	if s.byModel {
		b.WriteString(`,"sha256":` + quote(sha256))
	}
	b.WriteString(`,"created":` + quote(e.created.UTC().Format("2006-01-02T15:04:05.000000Z")))
	b.WriteString(`,"duration":` + seconds(duration))
	switch {
	case !s.byModel:
		b.WriteString(`,"channels":1,"model_info":` + e.modelInfo(s, `""`))
	case duration > 0:
		b.WriteString(`,"channels":1,"models":[` + quote(modelUUID) + `],"model_info":` + e.modelMap(s))
	default:
		b.WriteString(`,"channels":0`)
	}
	b.WriteString(s.extra + `}`)
	return b.String()
}

// modelInfo describes the source. version is JSON already: Aldea has "" in one message and null in another.
func (e *encoder) modelInfo(s format, version string) string {
	return `{"name":` + quote("sandbox-"+e.model) + `,"version":` + version + `,"arch":"` + s.arch + `"}`
}

// modelMap is modelInfo by model.
func (e *encoder) modelMap(s format) string {
	return `{` + quote(modelUUID) + `:` + e.modelInfo(s, s.version) + `}`
}

func (e *encoder) results(r result) string {
	s := e.format()
	var b strings.Builder
	b.WriteString(`{"type":"Results","channel_index":` + s.channel())
	// Both ends are rounded before they are subtracted, so that one final's end is exactly the next one's start.
	start, end := r.start.Round(time.Microsecond), r.end.Round(time.Microsecond)
	b.WriteString(`,"duration":` + seconds(end-start))
	b.WriteString(`,"start":` + seconds(start))
	s.flag(&b, "is_final", r.final)
	s.flag(&b, "speech_final", r.final && r.speech)
	b.WriteString(`,"channel":{"alternatives":[{"transcript":` + quote(transcript(r.words)))
	b.WriteString(`,"confidence":` + number(confidence(r.words)))
	s.writeWords(&b, r)
	b.WriteString(s.extra + `}]}`)
	e.resultsMetadata(&b, s)
	if s.fromFinalize {
		s.flag(&b, "from_finalize", r.fromFinalize)
	}
	b.WriteString(s.extra + `}`)
	return b.String()
}

func (e *encoder) resultsMetadata(b *strings.Builder, s format) {
	if s.info == infoNone {
		return
	}
	b.WriteString(`,"metadata":{"request_id":` + quote(e.requestID))
	switch s.info {
	case infoModel:
		b.WriteString(`,"model_info":` + e.modelInfo(s, s.version))
	case infoUUID:
		b.WriteString(`,"model_info":` + e.modelInfo(s, s.version) + `,"model_uuid":` + quote(modelUUID))
	case infoMap:
		b.WriteString(`,"model_info":` + e.modelMap(s) + `,"model_uuid":` + quote(modelUUID))
	}
	b.WriteByte('}')
}

func (s *format) flag(b *strings.Builder, name string, value bool) {
	if value || !s.omitFalse {
		b.WriteString(`,"` + name + `":` + strconv.FormatBool(value))
	}
}

func (s *format) writeWords(b *strings.Builder, r result) {
	if s.words == WordsAbsent {
		return
	}
	if s.words == WordsEmpty {
		r.words = nil
	}
	if len(r.words) == 0 && s.null {
		b.WriteString(`,"words":null`)
		return
	}
	b.WriteString(`,"words":[`)
	for i, w := range r.words {
		if i > 0 {
			b.WriteByte(',')
		}
		if s.words == WordsRelative {
			w.Start, w.End = w.Start-r.start, w.End-r.start
		}
		s.writeWord(b, w)
	}
	b.WriteByte(']')
}

func (s *format) writeWord(b *strings.Builder, w Word) {
	if s.words != WordsObjects {
		b.WriteString(`[` + quote(w.Text) + `,` + s.millis(w.Start) + `,` + s.millis(w.End) + `]`)
		return
	}
	b.WriteString(`{"word":` + quote(w.Text) + `,"start":` + seconds(w.Start) + `,"end":` + seconds(w.End) +
		`,"confidence":` + number(w.Confidence))
	if s.punctuated {
		b.WriteString(`,"punctuated_word":` + quote(w.Text))
	}
	b.WriteString(s.extra + `}`)
}

func (s *format) millis(d time.Duration) string {
	text := strconv.FormatInt(d.Round(time.Millisecond).Milliseconds(), 10)
	if s.decimals {
		text += ".0"
	}
	return text
}

func (e *encoder) speechStarted(at time.Duration) string {
	s := e.format()
	return `{"type":"SpeechStarted","channel":` + s.channel() + `,"timestamp":` + seconds(at) + s.extra + `}`
}

func (e *encoder) utteranceEnd(lastWordEnd time.Duration) string {
	s := e.format()
	return `{"type":"UtteranceEnd","channel":` + s.channel() + `,"last_word_end":` + seconds(lastWordEnd) + s.extra + `}`
}

func (e *encoder) failure(variant, description string) string {
	return `{"type":"Error","variant":` + quote(variant) + `,"description":` + quote(description) +
		`,"message":` + quote(description) + `}`
}

// channel is the index of the only channel; Deepgram adds how many there are.
func (s *format) channel() string {
	if s.pair {
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

func number(v float64) string { return strconv.FormatFloat(v, 'f', 4, 64) }

// modelName is the model's name in messages: the first word of the source's own.
func modelName(s Source) string {
	name, _, _ := strings.Cut(s.Name(), " ")
	return name
}
