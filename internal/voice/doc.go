// Package voice makes telephone audio: a text becomes speech, a recording at a URL becomes something to play. What
// comes out is what a carrier takes, µ-law at 8000 Hz, mono, and it comes while the rest is still being made.
//
// An Engine speaks. There are two that run on this machine, NewESpeak and NewFlite, and four services: NewOpenAI (and
// whatever speaks its protocol), NewCartesia, NewDeepgram and NewElevenLabs. A Speaker puts one to use:
//
//	engine, err := voice.NewESpeak(voice.ESpeakConfig{})
//	…
//	speaker := voice.NewSpeaker(engine, cache) // cache may be nil
//	defer speaker.Close()
//	audio, err := speaker.Say(ctx, voice.Request{Text: "Hello."})
//	…
//	for {
//		mulaw, err := audio.Next(ctx) // io.EOF behind the last
//		…
//	}
//
// Say does not wait for the engine: what goes wrong there comes from Next. Each text is made in a goroutine that runs
// ahead of whoever listens, as fast as the engine goes; calls that want the same text at the same time share it. When
// nobody listens to it any more it is stopped: the program killed, the request canceled. What was made to its end is
// kept in the Cache. Close waits for all of these goroutines.
//
// A Fetcher does the same for recordings at URLs that strangers named, within limits of place, size, time and type, and
// Decode for recordings that are there already.
//
// Errors say which engine failed and how. They never hold a key, nor the text that was to be said.
package voice
