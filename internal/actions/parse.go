package actions

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// What Parse accepts at most.
const (
	MaxBody    = 2 << 20 // bytes of JSON
	MaxActions = 50
	MaxText    = 5000    // characters of a say
	MaxAudio   = 1 << 20 // bytes of a play, decoded: over two minutes of µ-law
	MaxTwiml   = 4000    // characters, the carrier's limit

	maxDepth = 8 // of nesting; 4 is as deep as it gets
)

// Options are what Parse needs to know.
type Options struct {
	// CheckURL is called for each URL that is http or https, has a host and no spaces, and returns an error if it must not be
	// used. The error's text becomes part of the reason. Nil means that all are allowed.
	CheckURL func(string) error
}

// An Item is an action that was read.
type Item struct {
	Action Action
	JSON   []byte // a JSON value: the action as it came, shortened if it is long
}

// Parse reads actions from an answer's body. All of them are checked before any is returned, and there is either no error or no item;
// an error is an *Error. A body that is empty, that is no JSON object, or that has no "actions" asks for nothing:
// many webhooks answer "OK". A body that is meant as actions, but is not valid, gives an error that names what it lacks. Parse keeps nothing of body.
func Parse(body []byte, o Options) ([]Item, error) {
	body = bytes.TrimPrefix(body, []byte("\ufeff")) // which some servers put before JSON; RFC 8259 lets us ignore it
	body = bytes.Trim(body, " \t\r\n")
	if wide(body) {
		err := wrong("", "the text is UTF-16 or UTF-32; UTF-8 would be right")
		err.Index, err.JSON = -1, brief(body)
		return nil, err
	}
	if len(body) == 0 || body[0] != '{' && body[0] != '[' {
		return nil, nil
	}
	read := actionsOf
	if body[0] == '[' {
		read = bare
	}
	list, err := read(body)
	if err != nil {
		err.Index, err.JSON = -1, brief(body)
		return nil, err
	}
	items := make([]Item, 0, len(list))
	for i, raw := range list {
		a, err := o.action(raw)
		if err != nil {
			err.Index, err.JSON = i, brief(raw)
			return nil, err
		}
		items = append(items, Item{Action: a, JSON: brief(raw)})
	}
	if len(items) == 0 {
		return nil, nil
	}
	return items, nil
}

// wide says whether a body is an object or a list in UTF-16 or UTF-32: its brace or bracket stands beside a zero byte, or behind a
// byte order mark.
func wide(body []byte) bool {
	at := bytes.IndexAny(body[:min(len(body), 8)], "{[")
	if at < 0 || at > 0 && bytes.ContainsFunc(body[:at], func(r rune) bool { return r != 0 && r != utf8.RuneError }) {
		return false
	}
	return at > 0 || len(body) > 1 && body[1] == 0
}

// actionsOf returns the JSON of each action.
func actionsOf(body []byte) ([][]byte, *Error) {
	if len(body) > MaxBody {
		return nil, wrong("", "%d bytes are too many; at most %d are read", len(body), MaxBody)
	}
	if err := syntax(body); err != nil {
		return nil, wrong("", "not JSON: %v", err)
	}
	fields, twice := split(body)
	raw, others, found := take(fields, "actions")
	switch {
	case !found:
		return nil, misspelt(fields)
	case twice != nil:
		return nil, wrong(clip(*twice), "is there twice")
	}
	if !utf8.Valid(body) {
		return nil, wrong("", "not UTF-8 at byte %d", invalidAt(body))
	}
	if err := scan(body); err != nil {
		return nil, wrong("", "%v", err)
	}
	if len(others) > 0 {
		return nil, wrong(clip(others[0].name), `is not known; known is "actions"`)
	}
	if string(raw) == "null" { // an empty list, as some languages write it
		return nil, nil
	}
	if raw[0] != '[' {
		return nil, wrong("actions", "must be a list, not %s", kind(raw))
	}
	list := elements(raw, MaxActions)
	if len(list) > MaxActions {
		return nil, wrong("", "there are more than %d", MaxActions)
	}
	return list, nil
}

// invalidAt is where the first byte is that is not UTF-8.
func invalidAt(b []byte) int {
	at := 0
	for at < len(b) {
		r, n := utf8.DecodeRune(b[at:])
		if r == utf8.RuneError && n == 1 {
			break
		}
		at += n
	}
	return at
}

// action reads one.
func (o Options) action(raw []byte) (Action, *Error) {
	if raw[0] != '{' {
		return nil, wrong("", "must be an object, not %s", kind(raw))
	}
	fields, twice := split(raw)
	if twice != nil {
		return nil, wrong(clip(*twice), "is there twice")
	}
	name, rest, found := take(fields, "type")
	if !found {
		return nil, wrong("type", "is missing; known types are %s", strings.Join(typeNames(), ", "))
	}
	if name[0] != '"' {
		return nil, wrong("type", "must be a string, not %s", kind(name))
	}
	t := Type(unquote(name))
	for _, one := range kinds {
		if one.of == t {
			a, err := one.read(o, rest)
			if err != nil {
				err.Type = t
				return nil, err
			}
			return a, nil
		}
	}
	return nil, wrong("", "type %q is not known; known are %s", clip(string(t)), strings.Join(typeNames(), ", "))
}

// kinds are the actions and how each is read, in the order in which error texts list them.
var kinds = [...]struct {
	of   Type
	read func(Options, []field) (Action, *Error)
}{
	{TypeSay, Options.say},
	{TypePlay, Options.play},
	{TypeClear, Options.clear},
	{TypeListen, Options.listen},
	{TypePauseTranscription, Options.pause},
	{TypeResumeTranscription, Options.resume},
	{TypeTwiml, Options.twiml},
	{TypeRedirect, Options.redirect},
	{TypeTransfer, Options.transfer},
	{TypeHangup, Options.hangup},
}

func typeNames() []string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = string(k.of)
	}
	return names
}

// clip shortens a name that a stranger made up, for an error's text.
func clip(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
