package voice_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"aldeabridge/internal/voice"
	"aldeabridge/internal/voice/voicetest"
)

// A text is said by a service, and the second time by the cache.
func Example() {
	srv := voicetest.NewServer() // instead of api.deepgram.com
	defer srv.Close()
	engine, err := voice.NewDeepgram(voice.DeepgramConfig{ServiceConfig: voice.ServiceConfig{BaseURL: srv.URL, Key: "secret"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	dir, err := os.MkdirTemp("", "speech")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	cache, err := voice.NewCache(dir, 0)
	if err != nil {
		fmt.Println(err)
		return
	}
	speaker := voice.NewSpeaker(engine, cache)
	defer speaker.Close()

	ctx := context.Background()
	for range 2 {
		audio, err := speaker.Say(ctx, voice.Request{Text: "How can I help you?"})
		if err != nil {
			fmt.Println(err)
			return
		}
		size := 0
		for {
			mulaw, err := audio.Next(ctx)
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				fmt.Println(err)
				break
			}
			size += len(mulaw)
		}
		_ = audio.Close()
		fmt.Println(size, "bytes of µ-law;", len(srv.Requests()), "request")
	}
	// Output:
	// 7600 bytes of µ-law; 1 request
	// 7600 bytes of µ-law; 1 request
}

// What goes wrong names the engine, and neither the key nor the text.
func ExampleError() {
	srv := voicetest.NewServer()
	defer srv.Close()
	srv.Answer(voicetest.Fault{Status: 429})
	engine, err := voice.NewCartesia(voice.CartesiaConfig{ServiceConfig: voice.ServiceConfig{BaseURL: srv.URL, Key: "secret"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	speaker := voice.NewSpeaker(engine, nil)
	defer speaker.Close()
	audio, err := speaker.Say(context.Background(), voice.Request{Text: "Your PIN is 1234."})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = audio.Close() }()
	_, err = audio.Next(context.Background())
	fmt.Println(err)
	// Output: voice: cartesia answered 429 Too Many Requests: refused: key REDACTED, text …
}
