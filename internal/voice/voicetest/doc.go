// Package voicetest has a stand-in for the services that make speech: OpenAI, Cartesia, Deepgram and ElevenLabs, all in one
// Server, with their own requests, answers and errors, and faults on demand. It is for tests, like net/http/httptest.
//
//	srv := voicetest.NewServer()
//	defer srv.Close()
//	srv.Key = "secret"                             // others are answered 401
//	srv.Answer(voicetest.Fault{Status: 503})       // the next request; those after it are answered well
//	engine, err := voice.NewDeepgram(voice.DeepgramConfig{…BaseURL: srv.URL, Key: "secret"…})
//
// It speaks in tones: Tone is what it says for a text.
package voicetest
