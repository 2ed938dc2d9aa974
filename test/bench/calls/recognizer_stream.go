package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The recognizer's stand-in does not listen: it derives the words and their times from a call's name and sends them as the
// recognizer would. Some calls it reads the moment something comes, and notes when; the others now and then, so that
// it costs little.

const (
	sweepEvery   = 100 * time.Millisecond
	interimEvery = 25  // frames between two interim results
	finalAfter   = 15  // frames of silence until an utterance is final
	endAfter     = 50  // frames of silence until UtteranceEnd
	measured     = 100 // how many calls are read at once at most
)

// An arrival says that audio up to a time had come by a time of the wall clock.
type arrival struct {
	Until int64 `json:"ms"`
	At    int64 `json:"ns"`
}

// A recognizerStream receives the audio of one call.
type recognizerStream struct {
	socket socket
	write  func([]byte) (int, error)
	raw    bool // the relay's: the carrier's own messages
	eager  bool // notes arrivals

	name     int
	named    int // digits of it that are known
	bytes    int // of audio, or messages
	frame    int // the next whose time has not come
	from     int // the frame where the utterance began, or the last final ended
	finals   int
	arrivals []arrival
	left     []byte
}

// feed takes what was read. It answers false when the call is over.
func (e *recognizerStream) feed(b []byte, now time.Time) bool {
	if len(e.left) > 0 {
		b = append(e.left, b...)
	}
	for {
		f, rest, ok := parseFrame(b)
		if !ok {
			e.left = append(e.left[:0], rest...)
			return true
		}
		b = rest
		switch f.op {
		case opBinary:
			e.audio(f)
		case opText:
			if !e.text(f) {
				return false
			}
		case opPing:
			e.say(opPong, f.text())
		case opClose:
			return false
		}
		if e.eager && f.op != opPing {
			e.arrivals = append(e.arrivals, arrival{e.millis(), now.UnixNano()})
		}
	}
}

// millis is how much audio has come.
func (e *recognizerStream) millis() int64 {
	if e.raw {
		return int64(max(0, e.bytes-2)) * 20 // connected and start are no audio
	}
	return int64(e.bytes / 32)
}

// text takes a text message.
func (e *recognizerStream) text(f wsFrame) bool {
	if e.raw {
		e.bytes++
		if e.bytes == 2 { // start
			_, after, _ := strings.Cut(f.text(), `"callSid":"CA`)
			n, _ := strconv.ParseInt(after[:min(32, len(after))], 16, 64)
			e.name = int(n)
		}
		return true
	}
	if f.text() == `{"type":"CloseStream"}` {
		if at := (e.frame + phase(e.name)) % cycle; at < spoken+finalAfter && e.frame > e.from {
			e.final()
		}
		e.say(opClose, "\x03\xe8")
		return false
	}
	return true
}

// audio takes linear PCM.
func (e *recognizerStream) audio(f wsFrame) {
	before := e.bytes / 2
	e.bytes += len(f.payload)
	for e.named < digits && nameSample(e.named) < e.bytes/2 {
		e.name |= digitOf(sampleAt(f.payload, f.mask, nameSample(e.named)-before)) << (4 * e.named)
		if e.named++; e.named == digits {
			e.frame = digits * digitFrames
			e.from = e.frame
		}
	}
	if e.named < digits {
		return
	}
	for ; e.frame < e.bytes/2/(2*frame); e.frame++ {
		e.hear()
	}
}

// hear says what the recognizer would say of a frame.
func (e *recognizerStream) hear() {
	switch at := (e.frame + phase(e.name)) % cycle; {
	case at == 0:
		e.from = e.frame
		e.say(opText, fmt.Sprintf(`{"type":"SpeechStarted","channel":[0],"timestamp":%.3f}`, seconds(e.frame)))
	case at < spoken && at%interimEvery == 0:
		e.results(false, "this is what call "+strconv.Itoa(e.name)+" seems to say")
	case at == spoken+finalAfter:
		e.final()
	case at == spoken+endAfter:
		e.say(opText, fmt.Sprintf(`{"type":"UtteranceEnd","channel":[0],"last_word_end":%.3f}`, seconds(e.frame-endAfter)))
	}
}

func seconds(frames int) float64 { return float64(frames) / 50 }

// final ends an utterance. Its text says when.
func (e *recognizerStream) final() {
	e.finals++
	e.results(true, fmt.Sprintf("call %d said its sentence number %d at %d", e.name, e.finals, time.Now().UnixNano()))
	e.from = e.frame
}

func (e *recognizerStream) results(final bool, text string) {
	var words strings.Builder
	all := strings.Fields(text)
	step := (e.frame - e.from) * 20 / len(all)
	for i, w := range all {
		if i > 0 {
			words.WriteByte(',')
		}
		fmt.Fprintf(&words, `[%q,%d,%d]`, w, e.from*20+i*step, e.from*20+(i+1)*step)
	}
	e.say(opText, fmt.Sprintf(`{"type":"Results","channel_index":[0,1],"duration":%.3f,"start":%.3f,"is_final":%t,"speech_final":%t,`+
		`"channel":{"alternatives":[{"transcript":%q,"confidence":0.98,"words":[%s]}]}}`,
		seconds(e.frame-e.from), seconds(e.from), final, final, text, words.String()))
}

// say sends a frame. Data that does not fit into the socket is lost: the client does not read.
func (e *recognizerStream) say(op byte, payload string) {
	_, _ = e.write(appendFrame(nil, op, payload, false))
}
