package actions

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

var (
	idPattern       = regexp.MustCompile(`^[A-Za-z0-9._:-]{1,64}$`)
	voicePattern    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,99}$`)
	languagePattern = regexp.MustCompile(`^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}$`)
)

const languageForm = `a language such as "en" or "en-GB"`

// A reader reads a field's value, and says what is wrong with it in words that fit after the field's name.
type reader func(raw []byte) *Error

// A rule is what an action expects of one field.
type rule struct {
	name     string
	required bool
	read     reader
}

func required(name string, r reader) rule { return rule{name, true, r} }
func optional(name string, r reader) rule { return rule{name, false, r} }

// id is the rule that all actions have.
func id(to *string) rule {
	return optional("id", pattern(to, idPattern, "at most 64 letters, digits and . _ : -"))
}

// read holds the fields of an object against the rules.
func read(fields []field, rules ...rule) *Error {
	for _, f := range fields {
		if !slices.ContainsFunc(rules, func(r rule) bool { return r.name == f.name }) {
			return wrong(clip(f.name), "is not known; known are %s", names(rules))
		}
	}
	for _, r := range rules {
		raw, _, found := take(fields, r.name)
		if !found {
			if r.required {
				return wrong(r.name, "is missing")
			}
			continue
		}
		if err := r.read(raw); err != nil {
			err.Field = strings.TrimSuffix(r.name+"."+err.Field, ".")
			return err
		}
	}
	return nil
}

func names(rules []rule) string {
	all := make([]string, len(rules))
	for i, r := range rules {
		all[i] = r.name
	}
	return strings.Join(all, ", ")
}

// pointer reads into a new value, so that a field that is not there stays nil.
func pointer[T any](to **T, r func(*T) reader) reader {
	return func(raw []byte) *Error {
		*to = new(T)
		return r(*to)(raw)
	}
}

func str(to *string) reader {
	return func(raw []byte) *Error {
		if raw[0] != '"' {
			return wrong("", "must be a string, not %s", kind(raw))
		}
		*to = unquote(raw)
		return nil
	}
}

// words reads what is to be spoken or heard.
func words(to *string, most int) reader {
	return func(raw []byte) *Error {
		if err := str(to)(raw); err != nil {
			return err
		}
		switch n := utf8.RuneCountInString(*to); {
		case strings.TrimSpace(*to) == "":
			return wrong("", "is empty")
		case n > most:
			return wrong("", "has %d characters; at most %d are allowed", n, most)
		}
		for i, c := range *to {
			if unicode.IsControl(c) && !strings.ContainsRune("\t\r\n", c) {
				return wrong("", "has the control character %U at byte %d; only tab and line ends are allowed", c, i)
			}
		}
		return nil
	}
}

// pattern reads a string of a form, which want describes.
func pattern(to *string, form *regexp.Regexp, want string) reader {
	return func(raw []byte) *Error {
		if err := str(to)(raw); err != nil {
			return err
		}
		if !form.MatchString(*to) {
			return wrong("", "must be %s", want)
		}
		return nil
	}
}

func oneOf(to *string, allowed ...string) reader {
	return func(raw []byte) *Error {
		if err := str(to)(raw); err != nil {
			return err
		}
		if !slices.Contains(allowed, *to) {
			return wrong("", `must be one of "%s"`, strings.Join(allowed, `", "`))
		}
		return nil
	}
}

func boolean(to *bool) reader {
	return func(raw []byte) *Error {
		if raw[0] != 't' && raw[0] != 'f' {
			return wrong("", "must be true or false, not %s", kind(raw))
		}
		*to = raw[0] == 't'
		return nil
	}
}

func integer(to *int, least, most int) reader {
	return func(raw []byte) *Error {
		if k := kind(raw); k != "a number" {
			return wrong("", "must be a whole number from %d to %d, not %s", least, most, k)
		}
		n, ok := whole(string(raw))
		if !ok || n < least || n > most {
			return wrong("", "must be a whole number from %d to %d", least, most)
		}
		*to = n
		return nil
	}
}

// whole reads a JSON number that is whole, however it is written: 5000, 5000.0 and 5e3 are the same number (RFC 8259 has one type of
// numbers, and JSON Schema calls all three integers). It returns false for others, and for those of more than 18 digits.
func whole(number string) (int, bool) {
	mantissa, power := number, 0
	if i := strings.IndexAny(number, "eE"); i >= 0 {
		mantissa = number[:i]
		power, _ = strconv.Atoi(number[i+1:]) // beyond its range it is the nearest that there is
	}
	digits, negative := strings.CutPrefix(mantissa, "-")
	integer, fraction, _ := strings.Cut(digits, ".")
	digits = strings.TrimLeft(integer+fraction, "0")
	significant := strings.TrimRight(digits, "0")
	if significant == "" {
		return 0, true // also 0e999999999
	}
	zeros := power
	if most := len(number); power > -most && power < most+maxDigits { // else one cannot make up for the other
		zeros += len(digits) - len(significant) - len(fraction)
	}
	if zeros < 0 || zeros > maxDigits || len(significant)+zeros > maxDigits {
		return 0, false
	}
	n, err := strconv.Atoi(significant + strings.Repeat("0", zeros))
	if negative {
		n = -n
	}
	return n, err == nil
}

// maxDigits is how many digits fit into an int.
const maxDigits = 18

// audio reads base64.
func audio(to *[]byte) reader {
	return func(raw []byte) *Error {
		var s string
		if err := str(&s)(raw); err != nil {
			return err
		}
		if base64.StdEncoding.DecodedLen(len(s)) > MaxAudio+2 {
			return wrong("", "is too long: at most %d bytes are allowed, before base64", MaxAudio)
		}
		b, err := base64.StdEncoding.Strict().DecodeString(s)
		switch {
		case err != nil || strings.ContainsAny(s, "\r\n"):
			return wrong("", "must be base64 (RFC 4648 section 4, with padding)")
		case len(b) == 0:
			return wrong("", "is empty")
		case len(b) > MaxAudio:
			return wrong("", "is too long: at most %d bytes are allowed, before base64", MaxAudio)
		}
		*to = b
		return nil
	}
}
