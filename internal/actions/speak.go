package actions

import (
	"slices"
	"strings"
	"time"
)

const maxKeywords = 100

func (o Options) say(fields []field) (Action, *Error) {
	a := Say{Interruptible: true}
	err := read(fields,
		id(&a.ID),
		required("text", words(&a.Text, MaxText)),
		optional("voice", pattern(&a.Voice, voicePattern, "an engine's name for a voice: letters, digits and . _ + - (at most 100)")),
		optional("language", pattern(&a.Language, languagePattern, languageForm)),
		optional("interruptible", boolean(&a.Interruptible)),
		optional("unless_superseded", boolean(&a.UnlessSuperseded)),
	)
	return a, err
}

func (o Options) play(fields []field) (Action, *Error) {
	a := Play{Interruptible: true}
	var format string
	err := read(fields,
		id(&a.ID),
		optional("url", o.url(&a.URL)),
		optional("audio", audio(&a.Audio)),
		optional("format", oneOf(&format, string(WAV), string(MuLaw), string(ALaw), string(L16))),
		optional("interruptible", boolean(&a.Interruptible)),
		optional("unless_superseded", boolean(&a.UnlessSuperseded)),
	)
	if err != nil {
		return nil, err
	}
	a.Format = Format(format)
	switch {
	case a.URL == "" && a.Audio == nil:
		return nil, wrong("", `needs "url" or "audio"`)
	case a.URL != "" && a.Audio != nil:
		return nil, wrong("", `has "url" and "audio"; it needs one of them`)
	case a.URL != "" && format != "":
		return nil, wrong("format", `goes with "audio"; what a URL holds, its answer says`)
	case a.URL == "" && format == "":
		a.Format = WAV
	}
	switch {
	case a.Format == WAV && !isWAV(a.Audio):
		return nil, wrong("audio", `is not a WAV file; raw audio needs "format": "mulaw", "alaw" or "l16"`)
	case a.Format == L16 && len(a.Audio)%2 != 0:
		return nil, wrong("audio", "has %d bytes; l16 needs two a sample", len(a.Audio))
	}
	return a, nil
}

// isWAV looks at the first bytes: RF64 and BW64 are WAV files that may be longer than 4 GiB.
func isWAV(b []byte) bool {
	return len(b) >= 12 && slices.Contains([]string{"RIFF", "RF64", "BW64"}, string(b[:4])) && string(b[8:12]) == "WAVE"
}

func (o Options) clear(fields []field) (Action, *Error) {
	var a Clear
	err := read(fields, id(&a.ID))
	return a, err
}

func (o Options) pause(fields []field) (Action, *Error) {
	var a PauseTranscription
	err := read(fields, id(&a.ID))
	return a, err
}

func (o Options) resume(fields []field) (Action, *Error) {
	var a ResumeTranscription
	err := read(fields, id(&a.ID))
	return a, err
}

func (o Options) listen(fields []field) (Action, *Error) {
	var a Listen
	err := read(fields,
		id(&a.ID),
		optional("language", pointer(&a.Language, func(to *string) reader { return pattern(to, languagePattern, languageForm) })),
		optional("keywords", pointer(&a.Keywords, keywords)),
		optional("endpointing_ms", pointer(&a.EndpointingMS, func(to *int) reader { return integer(to, 10, 10_000) })),
		optional("gather", pointer(&a.Gather, gather)),
	)
	if err == nil && a.Language == nil && a.Keywords == nil && a.EndpointingMS == nil && a.Gather == nil {
		return nil, wrong("", `changes nothing; it needs "language", "keywords", "endpointing_ms" or "gather"`)
	}
	return a, err
}

// gather reads the object.
func gather(to *Gather) reader {
	return func(raw []byte) *Error {
		if raw[0] != '{' {
			return wrong("", "must be an object, not %s", kind(raw))
		}
		fields, twice := split(raw)
		if twice != nil {
			return wrong(clip(*twice), "is there twice")
		}
		timeout := 5000
		*to = Gather{Terminator: "#"}
		if err := read(fields,
			optional("max_digits", integer(&to.MaxDigits, 1, 64)),
			optional("terminator", oneOf(&to.Terminator, append(strings.Split("0123456789*#", ""), "")...)),
			optional("timeout_ms", integer(&timeout, 1000, 60_000)),
		); err != nil {
			return err
		}
		to.Timeout = time.Duration(timeout) * time.Millisecond
		return nil
	}
}

// keywords reads a list of words.
func keywords(to *[]string) reader {
	return func(raw []byte) *Error {
		if raw[0] != '[' {
			return wrong("", "must be a list of strings, not %s", kind(raw))
		}
		list := elements(raw, maxKeywords)
		if len(list) > maxKeywords {
			return wrong("", "has more than %d", maxKeywords)
		}
		*to = make([]string, len(list))
		for i, one := range list {
			if err := words(&(*to)[i], 100)(one); err != nil {
				return wrong("", "has a bad word at %d: it %s", i, err.Reason)
			}
		}
		return nil
	}
}
