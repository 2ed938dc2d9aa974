package conformance

import (
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"time"

	"aldeabridge/aldea"
	"aldeabridge/aldea/sandbox"
)

// cases are the tests. Their order is that in which a client is usually written.
var cases = []testCase{
	{name: "a plain call", test: plain},
	{name: "a long utterance is several finals", test: long},
	{name: "every way to write words and ends of speech gives the same utterances", sandboxOnly: true, test: variants},
	{name: "no Metadata, or two", sandboxOnly: true, test: metadata},
	{name: "the key in a subprotocol is refused, and in a header accepted", sandboxOnly: true, test: fallback},
	{name: "a connection breaks in the middle of a word", test: midWord},
	{name: "an outage of 20 seconds", test: outage},
	{name: "an outage longer than the buffer", test: overflow},
	{name: "a half-open connection", test: halfOpen},
	{name: "429, 503 and 401", sandboxOnly: true, test: refusals},
	{name: "nothing to send for a minute", test: mute},
	{name: "hanging up in the middle of a sentence", test: hangUp},
	{name: "two legs at once", test: legs},
	{name: "a hundred legs with random drops", sandboxOnly: true, test: crowd},
}

func plain(b *bench) {
	s := b.speak("a", 6*time.Second)
	h := b.converse(b.client(nil), s)
	b.whole(s, h)
	b.connections(h.stats, 1)
}

func long(b *bench) {
	s := b.speak("a", 20*time.Second)
	if !b.target.service {
		var words []string
		for n := range 60 {
			words = append(words, fmt.Sprintf("a%02d", n))
		}
		s = tones([]string{strings.Join(words, " ")}, time.Second)
	}
	h := b.converse(b.client(nil), s)
	b.whole(s, h)
	if b.target.service {
		return
	}
	texts, ends := 0, 0
	for _, f := range h.finals {
		if f.Transcript != "" {
			texts++
		}
		if f.SpeechFinal {
			ends++
		}
	}
	if texts < 2 || ends != 1 || len(h.utterances) != 1 {
		b.Errorf("got %d finals with text, %d ends of speech and %d utterances; want several, 1 and 1", texts, ends, len(h.utterances))
	}
}

// variants uses one server, and a connection for each way to write.
func variants(b *bench) {
	for _, words := range []sandbox.Words{sandbox.WordsArrays, sandbox.WordsObjects, sandbox.WordsEmpty, sandbox.WordsAbsent} {
		for _, end := range []sandbox.SpeechFinal{sandbox.SpeechFinalSame, sandbox.SpeechFinalEmpty, sandbox.SpeechFinalRepeated, sandbox.SpeechFinalNever} {
			b.server.SetFaults(sandbox.Faults{Fault: sandbox.Fault{Words: words, SpeechFinal: end}})
			s := tones([]string{"one two", "three", "four five six"}, 3*time.Second)
			h := b.converse(b.client(nil), s)
			b.whole(s, h)
			if len(h.utterances) != 3 {
				b.Errorf("words %q, end of speech %q: got %d utterances, want 3", words, end, len(h.utterances))
			}
		}
	}
}

func metadata(b *bench) {
	for kind, want := range map[sandbox.Metadata]int{sandbox.MetadataNever: 0, sandbox.MetadataBoth: 2} {
		b.server.SetFaults(sandbox.Faults{Fault: sandbox.Fault{Metadata: kind}})
		s := b.speak("a", 3*time.Second)
		h := b.converse(b.client(nil), s)
		b.whole(s, h)
		if h.metadata != want {
			b.Errorf("%q: got %d Metadata, want %d", kind, h.metadata, want)
		}
	}
}

func fallback(b *bench) {
	b.server.SetFaults(sandbox.Faults{Plan: []sandbox.Fault{{Status: http.StatusUnauthorized}}})
	s := b.speak("a", 3*time.Second)
	h := b.converse(b.client(nil), s)
	b.whole(s, h)
	last := b.server.Connections()[len(b.server.Connections())-1]
	if got := last.Header.Get("Authorization"); !strings.HasPrefix(got, "Bearer") {
		b.Errorf("got Authorization %q, want a bearer", got)
	}
}

func midWord(b *bench) {
	s := b.speak("a", 10*time.Second)
	at := 4 * time.Second
	if len(s.words) > 0 {
		w := s.words[len(s.words)/2]
		at = (w.Start + w.End) / 2
	}
	h := b.converse(b.client(nil), s, step{at, b.line.reset})
	b.whole(s, h)
	b.connections(h.stats, 2)
}

func outage(b *bench) {
	s := b.speak("a", 55*time.Second)
	h := b.converse(b.client(nil), s, step{5 * time.Second, b.line.cut}, step{25 * time.Second, b.line.heal})
	b.whole(s, h)
	if h.stats.Gap > 0 {
		b.Errorf("got %v of audio lost, want none", h.stats.Gap)
	}
}

func overflow(b *bench) {
	const buffer = 10 * time.Second
	s := b.speak("a", 60*time.Second)
	h := b.converse(b.client(func(c *aldea.Config) { c.Buffer = buffer }), s,
		step{5 * time.Second, b.line.cut}, step{30 * time.Second, b.line.heal})
	answered := time.Duration(0)
	for _, d := range b.line.attempts() {
		if d >= 30*time.Second && answered == 0 {
			answered = d
		}
	}
	b.gap(s, h, answered-buffer)
}

func halfOpen(b *bench) {
	s := b.speak("a", 70*time.Second)
	var frozen time.Duration
	h := b.converse(b.client(nil), s, step{5 * time.Second, func() {
		frozen = time.Since(b.line.began)
		b.line.freeze()
	}})
	b.whole(s, h)
	for _, d := range b.line.attempts() {
		if d > frozen {
			if d -= frozen; d > 25*time.Second {
				b.Errorf("noticed after %v, want at most 25s", d)
			}
			return
		}
	}
	b.Error("nobody noticed that the connection is half open")
}

func refusals(b *bench) {
	for _, status := range []int{http.StatusTooManyRequests, http.StatusServiceUnavailable} {
		b.server.SetFaults(sandbox.Faults{Plan: []sandbox.Fault{{Status: status, RetryAfter: 3 * time.Second}}})
		s := b.speak("a", 12*time.Second)
		before := len(b.line.attempts())
		h := b.converse(b.client(nil), s)
		b.whole(s, h)
		dials := b.line.attempts()[before:]
		if len(dials) < 2 || dials[1]-dials[0] < 3*time.Second || dials[1]-dials[0] > 4*time.Second {
			b.Errorf("%d: got dials at %v, want the second 3 to 4 s after the first", status, dials)
		}
	}
	b.server.SetFaults(sandbox.Faults{Fault: sandbox.Fault{Status: http.StatusUnauthorized}})
	before := len(b.line.attempts())
	h := b.converse(b.client(func(c *aldea.Config) { c.Auth = aldea.AuthBearer }), b.speak("a", 5*time.Second))
	if !errors.Is(h.err, aldea.ErrUnauthorized) {
		b.Errorf("got %v, want ErrUnauthorized", h.err)
	}
	if n := len(b.line.attempts()) - before; n < 2 || n > 8 {
		b.Errorf("got %d attempts in 5 s with a key that is refused, want a few", n)
	}
}

func mute(b *bench) {
	s := b.speak("a", 12*time.Second)
	h := b.converse(b.client(nil), s, step{6 * time.Second, func() { time.Sleep(time.Minute) }})
	b.whole(s, h)
	b.connections(h.stats, 1)
	if h.stats.KeepAlives < 10 {
		b.Errorf("got %d KeepAlives in a minute, want one every 4 to 5 seconds", h.stats.KeepAlives)
	}
}

func hangUp(b *bench) {
	s := b.speak("a", 5*time.Second)
	if n := len(s.words); n > 0 {
		s.audio = s.audio[:int((s.words[n-1].End+20*time.Millisecond)*8000/time.Second)]
	}
	h := b.converse(b.client(nil), s)
	b.whole(s, h)
}

func legs(b *bench) {
	client := b.client(nil)
	var both sync.WaitGroup
	for i, tag := range []string{"a", "b"} {
		both.Go(func() {
			s := b.speak(tag, time.Duration(6+i)*time.Second)
			b.whole(s, b.converse(client, s))
		})
	}
	both.Wait()
}

// crowd holds what a hundred legs leave behind; the bubble itself does not end before their last goroutine has.
func crowd(b *bench) {
	client := b.client(nil)
	over := make(chan struct{})
	var dropping, talking sync.WaitGroup
	dropping.Go(func() {
		for {
			select {
			case <-time.After(5 * time.Second):
				b.line.reset()
			case <-over:
				return
			}
		}
	})
	before := runtime.NumGoroutine()
	for i := range 100 {
		talking.Go(func() {
			time.Sleep(time.Duration(i) * 37 * time.Millisecond)
			s := b.speak(string([]byte{'a' + byte(i/26), 'a' + byte(i%26)}), 12*time.Second)
			b.whole(s, b.converse(client, s))
		})
	}
	talking.Wait()
	close(over)
	dropping.Wait()
	b.Logf("%d goroutines before, %d after", before, runtime.NumGoroutine())
}
