//go:build linux || darwin

package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/ebitengine/purego"
)

// libraries are the two libraries under the names they have on this system. The second needs the first.
func libraries() [2][]string {
	if runtime.GOOS == "darwin" {
		return [2][]string{
			{"libsphinxbase.3.dylib", "/opt/homebrew/lib/libsphinxbase.3.dylib", "/usr/local/lib/libsphinxbase.3.dylib"},
			{"libpocketsphinx.3.dylib", "/opt/homebrew/lib/libpocketsphinx.3.dylib", "/usr/local/lib/libpocketsphinx.3.dylib"},
		}
	}
	return [2][]string{{"libsphinxbase.so.3"}, {"libpocketsphinx.so.3"}}
}

// api is the part of PocketSphinx 0.8 and 5prealpha that is used here. Version 5 has another one. Handles are
// pointers into C that Go never follows.
type api struct {
	setLog     func(file uintptr)
	parse      func(inout, definition uintptr, argc int32, argv **byte, strict int32) uintptr
	arguments  func() uintptr
	create     func(config uintptr) uintptr
	logmath    func(decoder uintptr) uintptr
	exp        func(logmath uintptr, p int32) float64
	stream     func(decoder uintptr) int32
	begin      func(decoder uintptr) int32
	process    func(decoder uintptr, samples *int16, n uintptr, noSearch, full int32) int32
	end        func(decoder uintptr) int32
	segments   func(decoder uintptr, score *int32) uintptr
	next       func(segment uintptr) uintptr
	word       func(segment uintptr) string
	frames     func(segment uintptr, first, last *int32)
	posterior  func(segment uintptr, acoustic, language, backoff *int32) int32
	freeSearch func(decoder uintptr) int32
}

// open loads one library under the first name that works.
func open(names []string) (uintptr, error) {
	var failures error
	for _, name := range names {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err == nil {
			return handle, nil
		}
		failures = errors.Join(failures, err)
	}
	return 0, fmt.Errorf("%s %w (%w)", names[0], errMissing, failures)
}

// load opens the libraries and finds the functions.
func load() (*api, error) {
	names := libraries()
	base, err := open(names[0])
	if err != nil {
		return nil, err
	}
	sphinx, err := open(names[1])
	if err != nil {
		return nil, err
	}
	a := new(api)
	for _, f := range []struct {
		library uintptr
		name    string
		to      any
	}{
		{base, "err_set_logfp", &a.setLog},
		{base, "cmd_ln_parse_r", &a.parse},
		{base, "logmath_exp", &a.exp},
		{sphinx, "ps_args", &a.arguments},
		{sphinx, "ps_init", &a.create},
		{sphinx, "ps_free", &a.freeSearch},
		{sphinx, "ps_get_logmath", &a.logmath},
		{sphinx, "ps_start_stream", &a.stream},
		{sphinx, "ps_start_utt", &a.begin},
		{sphinx, "ps_process_raw", &a.process},
		{sphinx, "ps_end_utt", &a.end},
		{sphinx, "ps_seg_iter", &a.segments},
		{sphinx, "ps_seg_next", &a.next},
		{sphinx, "ps_seg_word", &a.word},
		{sphinx, "ps_seg_frames", &a.frames},
		{sphinx, "ps_seg_prob", &a.posterior},
	} {
		address, err := purego.Dlsym(f.library, f.name)
		if err != nil {
			return nil, fmt.Errorf("function %s %w: another version of PocketSphinx (%w)", f.name, errMissing, err)
		}
		purego.RegisterFunc(f.to, address)
	}
	return a, nil
}

// checkLibraries says whether the libraries can be used.
func checkLibraries(stdout io.Writer) error {
	if _, err := load(); err != nil {
		fmt.Fprintf(stdout, "libraries: %v\n", err)
		return err
	}
	fmt.Fprintln(stdout, "libraries: libsphinxbase, libpocketsphinx")
	return nil
}

// decoder is one PocketSphinx decoder. One goroutine uses it.
type decoder struct {
	api    *api
	handle uintptr
	math   uintptr
	argv   []*byte // kept: the library may hold on to it
	open   bool    // an utterance is under way
}

// newDecoder starts a decoder with the model in a folder, "" for the installed one.
func newDecoder(model string, verbose bool) (*decoder, error) {
	files, err := findModel(model)
	if err != nil {
		return nil, err
	}
	a, err := load()
	if err != nil {
		return nil, err
	}
	acoustic, err := telephoneModel(files.acoustic)
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(acoustic)
	if !verbose {
		a.setLog(0)
	}
	d := &decoder{api: a}
	if err := d.start([]string{
		"sphinx", // the library takes the first argument for the program's name
		"-hmm", acoustic, "-lm", files.language, "-dict", files.dictionary,
		"-samprate", "16000", "-frate", "100", "-remove_silence", "no", // the caller finds the voice
	}); err != nil {
		return nil, err
	}
	return d, nil
}

func (d *decoder) start(args []string) error {
	for _, arg := range args {
		d.argv = append(d.argv, &append([]byte(arg), 0)[0])
	}
	config := d.api.parse(0, d.api.arguments(), int32(len(d.argv)), &d.argv[0], 0)
	if config == 0 { // the next call would crash on it
		return errors.New("PocketSphinx did not take its configuration")
	}
	if d.handle = d.api.create(config); d.handle == 0 {
		return errors.New("PocketSphinx did not start; run with -verbose to see why")
	}
	d.math = d.api.logmath(d.handle)
	return nil
}

// Close releases the decoder.
func (d *decoder) Close() {
	d.api.freeSearch(d.handle)
	runtime.KeepAlive(d.argv)
}

// Write decodes the next samples, 16 kHz mono, and begins an utterance if none is under way.
func (d *decoder) Write(samples []int16) error {
	if len(samples) == 0 {
		return nil
	}
	if !d.open {
		if d.api.stream(d.handle) < 0 || d.api.begin(d.handle) < 0 { // a new stream: times begin at 0 again
			return errors.New("PocketSphinx did not begin an utterance")
		}
		d.open = true
	}
	if d.api.process(d.handle, &samples[0], uintptr(len(samples)), 0, 0) < 0 {
		return errors.New("PocketSphinx did not take audio")
	}
	return nil
}

// End ends the utterance; Words then returns the final ones.
func (d *decoder) End() error {
	if !d.open {
		return nil
	}
	d.open = false
	if d.api.end(d.handle) < 0 {
		return errors.New("PocketSphinx did not end the utterance")
	}
	return nil
}

// Words are the words of the current utterance, or of the one that just ended.
func (d *decoder) Words() []word {
	var words []word
	var score, first, last, a, l, b int32
	for s := d.api.segments(d.handle, &score); s != 0; s = d.api.next(s) {
		text, ok := spoken(d.api.word(s))
		if !ok {
			continue
		}
		d.api.frames(s, &first, &last)
		words = append(words, word{
			text:        text,
			start:       int(first) * 10,
			end:         (int(last) + 1) * 10,
			probability: probability(d.api.exp(d.math, d.api.posterior(s, &a, &l, &b))),
		})
	}
	return words
}
