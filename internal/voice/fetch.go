package voice

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"aldeabridge/internal/egress"
)

// FetcherConfig configures a Fetcher.
type FetcherConfig struct {
	// Guard restricts URLs and addresses. The zero value is for untrusted URLs.
	Guard    egress.Guard
	MaxBytes int64         // most bytes of a recording. It defaults to 10 MiB.
	Timeout  time.Duration // for a whole recording. It defaults to 15 seconds.
	Logger   *slog.Logger  // for panics while a recording is fetched. Nil logs nothing.
}

// A Fetcher downloads recordings. It is safe for concurrent use. Make it with NewFetcher.
type Fetcher struct {
	config FetcherConfig
	client *http.Client
	ctx    context.Context
	cancel context.CancelFunc

	mu       sync.Mutex // guards the rest
	closed   bool
	fetching sync.WaitGroup
}

const maxRedirects = 3

var errStatus = errors.New("the URL answered")

// NewFetcher returns a Fetcher. It follows up to three redirects, and checks each of them as it checks the URL.
func NewFetcher(c FetcherConfig) *Fetcher {
	if c.MaxBytes <= 0 {
		c.MaxBytes = 10 << 20
	}
	if c.Timeout <= 0 {
		c.Timeout = 15 * time.Second
	}
	f := &Fetcher{config: c, client: c.Guard.Client()}
	f.client.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
		if len(via) > maxRedirects {
			return fmt.Errorf("it was redirected more than %d times", maxRedirects)
		}
		return nil
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f
}

// Fetch starts to download a recording and does not wait for it. The caller must close the Audio or end ctx. The error is about
// the URL; Next returns the errors of the download. No error repeats the URL.
func (f *Fetcher) Fetch(ctx context.Context, rawURL string) (*Audio, error) {
	u, err := f.config.Guard.URL(rawURL)
	if err != nil {
		return nil, fmt.Errorf("voice: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil, ErrClosed
	}
	ctx2, cancel := context.WithCancel(f.ctx)
	rec := newRecording(cancel)
	audio := rec.listen(ctx)
	f.fetching.Go(func() {
		defer cancel()
		err := recoverPanics(f.config.Logger, func() error { return f.get(ctx2, u.String(), rec) })
		switch {
		case err != nil && f.ctx.Err() != nil:
			err = ErrClosed
		case err != nil:
			err = fmt.Errorf("voice: %w", err)
		}
		rec.finish(err)
	})
	return audio, nil
}

func (f *Fetcher) get(ctx context.Context, rawURL string, rec *recording) error {
	ctx, cancel := context.WithTimeoutCause(ctx, f.config.Timeout, &TimeoutError{"the recording did not come", f.config.Timeout})
	defer cancel()
	err := f.stream(ctx, rawURL, rec)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return &brokenError{"the connection broke in the middle of the recording"}
	}
	return err
}

func (f *Fetcher) stream(ctx context.Context, rawURL string, rec *recording) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, rawURL, nil)
	if err != nil {
		return errors.New("the URL is not possible")
	}
	req.Header.Set("User-Agent", "bridge")
	req.Header.Set("Accept", "audio/*, application/octet-stream;q=0.5")
	req.Header.Set("Accept-Encoding", identity)
	resp, err := f.client.Do(req)
	if err != nil {
		return fmt.Errorf("the URL could not be fetched: %w", egress.Plain(err))
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w %d %s", errStatus, resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	most := f.config.MaxBytes
	if resp.ContentLength > most {
		return fmt.Errorf("%w: %d bytes; at most %d are taken", ErrTooLong, resp.ContentLength, most)
	}
	resp.Body = plainBody{egress.PlainReader(resp.Body), resp.Body}
	content, err := unpacked(resp)
	if err != nil {
		return err
	}
	body := bufio.NewReaderSize(&limited{content, most, most}, readSize)
	format, err := formatOf(resp.Header.Get("Content-Type"), resp.Request.URL.Path)
	if err != nil {
		if err = notAudio("", body, err); err != nil {
			return err
		}
	}
	return rec.fill(silentWords{NewReader(body, format)})
}

// Close stops all downloads and waits for them to end. Incomplete Audio ends with ErrClosed.
func (f *Fetcher) Close() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	f.cancel()
	f.fetching.Wait()
	f.client.CloseIdleConnections()
}

// plainBody is a body whose errors have no internal addresses.
type plainBody struct {
	io.Reader
	io.Closer
}

// limited reads from r and returns ErrTooLong after the last byte allowed.
type limited struct {
	r    io.Reader
	left int64
	most int64
}

func (l *limited) Read(p []byte) (int, error) {
	n, err := l.r.Read(p[:min(int64(len(p)), l.left+1)])
	if l.left -= int64(n); l.left < 0 {
		return n - 1, fmt.Errorf("%w: at most %d bytes are taken", ErrTooLong, l.most)
	}
	return n, err
}

// silentWords is a Stream without words.
type silentWords struct{ io.Reader }

func (silentWords) Words() []Word { return nil }
func (silentWords) Close() error  { return nil }

// Decode converts a recording in memory. The error says what is wrong with it. The caller must close the Audio or end ctx.
func Decode(ctx context.Context, audio []byte, f Format) (*Audio, error) {
	rec := newRecording(func() {})
	if err := rec.fill(silentWords{NewReader(bytes.NewReader(audio), f)}); err != nil {
		return nil, fmt.Errorf("voice: %w", err)
	}
	rec.finish(nil)
	return rec.listen(ctx), nil
}
