// Package voice makes telephone audio from texts and from recordings at URLs. The audio is µ-law at 8000 Hz, mono, as carriers
// expect it, and is available while the rest is still being made.
//
// An Engine synthesizes speech. NewESpeak and NewFlite run programs on this machine. NewOpenAI (also for servers with the same
// protocol), NewCartesia, NewDeepgram and NewElevenLabs use services. A Speaker uses an Engine:
//
//	engine, err := voice.NewESpeak(voice.ESpeakConfig{})
//	…
//	speaker := voice.NewSpeaker(engine, cache) // cache may be nil
//	defer speaker.Close()
//	audio, err := speaker.Say(ctx, voice.Request{Text: "Hello."})
//	…
//	for {
//		mulaw, err := audio.Next(ctx) // io.EOF after the last
//		…
//	}
//
// Say does not wait for the engine: Next returns the engine's errors. A goroutine makes each text as fast as the engine can,
// independently of the listeners. Calls that need the same text at the same time share it. When the last listener has left,
// synthesis stops: the program is killed or the request canceled. Complete speech is kept in the Cache. If the goroutine panics,
// the audio fails with ErrPanicked and is not cached. Close waits for all of these goroutines.
//
// A Fetcher does the same for recordings at untrusted URLs, with limits on address, size, time and type. Decode does it for
// recordings in memory.
//
// Errors have the engine's name and the reason. They never have a key or the text to speak.
package voice
