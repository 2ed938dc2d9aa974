package actions

import (
	"fmt"
	"strings"
)

// An Error says what is wrong with what was sent, and what would be right. Its text is for the sender of the actions: it quotes names of
// fields, but no values that could be secret.
type Error struct {
	Index  int    // of the action, from 0; -1 where it is about the whole
	Type   Type   // of the action; empty where it has none, or none that is known
	Field  string // such as "text" or "gather.max_digits"; empty where it is about the whole action
	Reason string
	JSON   []byte // a JSON value: the action as it came, or all that came, shortened if it is long
}

// Error is such as `actions[2] (say): field "txt" is not known; known are id, text, …`.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("actions")
	if e.Index >= 0 {
		fmt.Fprintf(&b, "[%d]", e.Index)
	}
	if e.Type != "" {
		fmt.Fprintf(&b, " (%s)", e.Type)
	}
	b.WriteString(": ")
	if e.Field != "" {
		fmt.Fprintf(&b, "field %q ", e.Field)
	}
	b.WriteString(e.Reason)
	return b.String()
}

// wrong is an Error about a field, or with an empty name about all of an action.
func wrong(field, format string, args ...any) *Error {
	return &Error{Field: field, Reason: fmt.Sprintf(format, args...)}
}
