package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"aldeabridge/aldea/sandbox/marker"
	"aldeabridge/codec"
	"aldeabridge/media/mediatest"
)

type callCmd struct {
	Files     []string      `arg:"" optional:"" name:"file" help:"WAV files to say, one call each in turn; any rate."`
	URL       string        `name:"url" env:"BRIDGE_MEDIA_URL" default:"ws://127.0.0.1:8080/media/twilio" placeholder:"URL" help:"Where the bridge takes streams (${default})."`
	PublicURL string        `name:"public-url" env:"BRIDGE_PUBLIC_URL" placeholder:"URL" help:"Sign for this base URL, if TWILIO_AUTH_TOKEN is set."`
	Calls     int           `placeholder:"N" help:"How many calls at once (one for each file)."`
	Ramp      time.Duration `default:"1s" placeholder:"TIME" help:"Start the calls spread over this time (${default})."`
	Speed     float64       `default:"1" placeholder:"X" help:"Send X times faster than real time (${default})."`
	Track     string        `default:"inbound" enum:"inbound,both" help:"inbound, or both: the second channel or file is the agent."`
	Loss      float64       `default:"0" placeholder:"P" help:"Leave out this share of frames, 0 to 1."`
	Jitter    time.Duration `default:"0" placeholder:"TIME" help:"Delay frames by up to this much, in order."`
	Tail      time.Duration `default:"2s" placeholder:"TIME" help:"Silence before hanging up (${default}); 0s hangs up in mid-sentence."`
	From      string        `default:"+15550100001" placeholder:"NUMBER" help:"The caller (${default})."`
	To        string        `default:"+15550100002" placeholder:"NUMBER" help:"Who is called (${default})."`
	SayMarker string        `placeholder:"TEXT" help:"Say TEXT as tones that a sandbox with --source marker reads, instead of files; | is a pause of a second, {n} the call's number."`
	Seed      uint64        `default:"1" placeholder:"N" help:"Seed of loss and jitter (${default})."`
	PID       int           `name:"pid" placeholder:"PID" help:"Measure this process, the bridge, while the calls are up (Linux)."`
	Quiet     bool          `short:"q" help:"No progress bar."`
}

// Validate rejects nonsense by the option's name.
func (c *callCmd) Validate() error {
	switch {
	case len(c.Files) == 0 && c.SayMarker == "":
		return errors.New("nothing to say: name a WAV file or pass --say-marker TEXT")
	case len(c.Files) > 0 && c.SayMarker != "":
		return errors.New("--say-marker: either files or a text, not both")
	case !strings.HasPrefix(c.URL, "ws://") && !strings.HasPrefix(c.URL, "wss://"):
		return fmt.Errorf("--url: %q is not like ws://127.0.0.1:8080/media/twilio", c.URL)
	case c.Calls < 0:
		return fmt.Errorf("--calls: %d is less than 1", c.Calls)
	case c.Speed <= 0:
		return fmt.Errorf("--speed: %g is not above 0", c.Speed)
	case c.Loss < 0 || c.Loss > 1:
		return fmt.Errorf("--loss: %g is not between 0 and 1", c.Loss)
	}
	return checkFiles(c.Files...)
}

// checkFiles returns an error about the first of these that is not a file.
func checkFiles(names ...string) error {
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return fmt.Errorf("%s: there is no such file", name)
		case err != nil:
			return err
		case info.IsDir():
			return fmt.Errorf("%s: this is a directory, not a file", name)
		}
	}
	return nil
}

// voices is what the two sides of a call say: µ-law at 8000 Hz, one byte a sample.
type voices struct{ inbound, outbound []byte }

// Run places the calls and waits for all. It fails if a call could not be placed or was cut by the bridge.
func (c *callCmd) Run(ctx context.Context, term terminal) error {
	said, err := c.voices()
	if err != nil {
		return err
	}
	tokens, err := secretList("TWILIO_AUTH_TOKEN")
	if err != nil {
		return err
	}
	token := "" // the carrier signs with the present one
	if len(tokens) > 0 {
		token = tokens[0]
	}
	if c.Calls == 0 {
		c.Calls = len(said)
	}
	longest := slices.MaxFunc(said[:min(len(said), c.Calls)], func(a, b voices) int { return len(a.inbound) - len(b.inbound) })
	bar := c.progress(term)
	var before, during usage
	if c.PID != 0 {
		if before, err = usageOf(c.PID); err != nil {
			return err
		}
	}
	results := make([]mediatest.Result, c.Calls)
	errs := make([]error, c.Calls)
	var wg sync.WaitGroup
	for i := range c.Calls {
		v := said[i%len(said)]
		if c.SayMarker != "" {
			v = c.marker(i + 1)
		}
		one := &mediatest.Call{
			URL:       c.URL,
			PublicURL: c.PublicURL,
			AuthToken: token,
			CallSID:   newSID("CA"),
			StreamSID: newSID("MZ"),
			From:      c.From,
			To:        c.To,
			Inbound:   v.inbound,
			Outbound:  v.outbound,
			Speed:     c.Speed,
			Loss:      c.Loss,
			Jitter:    c.Jitter,
			Seed:      c.Seed + uint64(i),
			Hold:      c.Tail,
			Received:  func(m mediatest.Message) { c.show(term, bar, m) },
		}
		if len(v.inbound) == len(longest.inbound) && bar != nil && i < len(said) {
			one.Progress = func(sent, total time.Duration) { _ = bar.Set64(percent(sent, total)) }
		}
		if i == 0 && c.PID != 0 {
			// The first call ends first: just before, all are up.
			one.Progress = c.lastMoment(one.Progress, func() { during, err = usageOf(c.PID) })
		}
		wg.Go(func() {
			if err := pause(ctx, c.Ramp*time.Duration(i)/time.Duration(c.Calls)); err != nil {
				errs[i] = err
				return
			}
			results[i], errs[i] = one.Run(ctx)
		})
	}
	wg.Wait()
	if bar != nil {
		fmt.Fprintln(term.stderr) // it stays as far as it came
	}
	if err := c.summary(term, results, errs); err != nil || c.PID == 0 {
		return err
	}
	if err == nil {
		fmt.Fprintln(term.stdout, cost(before, during, c.Calls))
	}
	return err
}

// lastMoment returns a Progress that calls then, and that calls measure once, when 95 % have been sent.
func (c *callCmd) lastMoment(then func(sent, total time.Duration), measure func()) func(sent, total time.Duration) {
	done := false
	return func(sent, total time.Duration) {
		if then != nil {
			then(sent, total)
		}
		if !done && sent >= total*95/100 {
			done = true
			measure()
		}
	}
}

// voices reads the files, or makes the tones.
func (c *callCmd) voices() ([]voices, error) {
	if c.SayMarker != "" {
		return []voices{c.marker(c.Calls)}, nil // the longest: its number has the most digits
	}
	var said []voices
	for _, name := range c.Files {
		v, err := readVoices(name)
		if err != nil {
			return nil, err
		}
		said = append(said, v)
	}
	if c.Track == "both" && len(said) == 2 && said[0].outbound == nil {
		said = []voices{{inbound: said[0].inbound, outbound: said[1].inbound}}
	}
	for i, v := range said {
		if c.Track != "both" {
			said[i].outbound = nil
		} else if v.outbound == nil {
			said[i].outbound = v.inbound // one voice for both
		}
	}
	return said, nil
}

// marker returns the tones of --say-marker for call number n.
func (c *callCmd) marker(n int) voices {
	text := strings.ReplaceAll(c.SayMarker, "{n}", strconv.Itoa(n))
	v := voices{inbound: mulaw(marker.EncodeUtterances(strings.Split(text, "|"), time.Second))}
	if c.Track == "both" {
		v.outbound = v.inbound
	}
	return v
}

// readVoices reads a WAV file of any rate: the first channel is the caller, the second, if any, the agent.
func readVoices(name string) (voices, error) {
	f, err := os.Open(name)
	if err != nil {
		return voices{}, err
	}
	defer f.Close()
	w, err := codec.ReadWAV(f)
	if err != nil {
		return voices{}, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	var v voices
	for i := range min(w.Channels, 2) {
		samples, err := codec.ConvertRate(w.Channel(i), w.Rate, 8000)
		if err != nil {
			return voices{}, fmt.Errorf("%s: %w", filepath.Base(name), err)
		}
		if i == 0 {
			v.inbound = mulaw(samples)
		} else {
			v.outbound = mulaw(samples)
		}
	}
	if len(v.inbound) == 0 {
		return voices{}, fmt.Errorf("%s: no audio in it", filepath.Base(name))
	}
	return v, nil
}

func mulaw(samples []int16) []byte {
	b := make([]byte, len(samples))
	codec.EncodeMuLaw(b, samples)
	return b
}

// progress returns a bar in percent, or nil if the output is not a terminal.
func (c *callCmd) progress(term terminal) *progressbar.ProgressBar {
	if c.Quiet || !isTerminal(term.stderr) {
		return nil
	}
	return c.bar(term.stderr)
}

// percent is how much of total is sent.
func percent(sent, total time.Duration) int64 { return int64(100 * min(sent, total) / max(total, 1)) }

// bar returns a bar in percent on w.
func (c *callCmd) bar(w io.Writer) *progressbar.ProgressBar {
	what := "1 call"
	if c.Calls > 1 {
		what = fmt.Sprintf("%d calls", c.Calls)
	}
	return progressbar.NewOptions64(100,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetDescription(what),
		progressbar.OptionSetWidth(40),
		progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionSetPredictTime(false),
	)
}

// show prints what the bridge sent back on a single call.
func (c *callCmd) show(term terminal, bar *progressbar.ProgressBar, m mediatest.Message) {
	if c.Calls > 1 || m.Event == "media" || m.Event == "mark" {
		return // the summary counts the audio, and marks come five times a second with it
	}
	if bar != nil {
		_ = bar.Clear()
	}
	fmt.Fprintf(term.stdout, "bridge sent %s\n", printable(m.Event))
}

// websocketNormal is the close code of a stream that ended as it should (RFC 6455 section 7.4.1).
const websocketNormal = 1000

// summary prints what the calls came to.
func (c *callCmd) summary(term terminal, results []mediatest.Result, errs []error) error {
	var sent, lost, played, failed, hungUp int
	for i, r := range results {
		sent, lost, played = sent+r.Frames, lost+r.Lost, played+r.MediaBytes
		switch {
		case errs[i] != nil || !r.ByServer:
		case r.CloseCode == websocketNormal: // an action said so
			hungUp++
		default:
			errs[i] = fmt.Errorf("the bridge ended the call: close code %d %s", r.CloseCode, r.CloseReason)
		}
		if errs[i] != nil {
			failed++
		}
	}
	by := ""
	if hungUp > 0 {
		by = fmt.Sprintf(" (%d hung up by the bridge)", hungUp)
	}
	fmt.Fprintf(term.stdout, "%d of %d calls completed%s, %d frames sent, %d left out, %s of audio came back\n",
		c.Calls-failed, c.Calls, by, sent, lost, (time.Duration(played) * time.Second / 8000).Round(time.Millisecond))
	if failed > 0 {
		return c.failure(failed, errs[slices.IndexFunc(errs, func(e error) bool { return e != nil })])
	}
	return nil
}

// failure is the error about calls that failed, of which first is that of the first.
func (c *callCmd) failure(failed int, first error) error {
	which := fmt.Sprintf("%d of %d calls failed, the first with", failed, c.Calls)
	if c.Calls == 1 {
		which = "the call failed"
	}
	if dial := (*net.OpError)(nil); errors.As(first, &dial) && dial.Op == "dial" {
		return fmt.Errorf("%s: no bridge answers at %s: is `bridge` running? --url says where it is (%w)", which, c.URL, dial)
	}
	return fmt.Errorf("%s: %w", which, first)
}

// pause waits for d or until ctx ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
