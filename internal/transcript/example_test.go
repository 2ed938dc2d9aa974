package transcript_test

import (
	"fmt"
	"time"

	"aldeabridge/events"
	"aldeabridge/internal/transcript"
)

func Example() {
	a := transcript.New(transcript.Options{Prefix: "MZ42-caller", Speaker: events.Caller, Language: "en"})
	publish := func(bodies []events.Body) {
		for _, body := range bodies {
			switch b := body.(type) {
			case events.TranscriptInterim:
				fmt.Printf("%s … %s\n", b.Utterance, b.Text)
			case events.UtteranceFinal:
				fmt.Printf("%s = %s (%s)\n", b.Utterance.ID, b.Utterance.Text, b.Utterance.EndedBy)
			}
		}
	}
	now := time.Now()
	publish(a.Result(transcript.Result{Text: "I'd like", End: 900 * time.Millisecond}, now))
	publish(a.Result(transcript.Result{Text: "I'd like to book", End: 2 * time.Second, Final: true}, now))
	publish(a.Result(transcript.Result{Text: "a table", Start: 2 * time.Second, End: 3 * time.Second, SpeechFinal: true}, now))
	publish(a.Result(transcript.Result{Text: "for tw", Start: 3 * time.Second, End: 4 * time.Second}, now))
	publish(a.Close(events.ByCallEnd, false)) // hung up, and the recognizer could not finish
	// Output:
	// MZ42-caller-1 … I'd like
	// MZ42-caller-1 … I'd like to book
	// MZ42-caller-1 = I'd like to book a table (speech_final)
	// MZ42-caller-2 … for tw
	// MZ42-caller-2 = for tw (call_end)
}
