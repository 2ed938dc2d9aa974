package actions

import (
	"encoding/json"
	"slices"
	"strings"
)

// misspelt is about an object without "actions" whose sender seems to have meant it: another spelling, or one action alone.
func misspelt(fields []field) *Error {
	for _, f := range fields {
		if strings.EqualFold(f.name, "actions") || strings.EqualFold(f.name, "action") {
			return wrong(clip(f.name), `is not known; known is "actions"`)
		}
	}
	if raw, _, found := take(fields, "type"); found && isKind(raw) {
		return wrong("", `an action alone is not known; {"actions":[…]} around it would be right`)
	}
	return nil
}

// bare is about a list that is not in an object: of actions, or of whatever else a server answers, which is none of ours.
func bare(body []byte) ([][]byte, *Error) {
	if len(body) > MaxBody || !json.Valid(body) {
		return nil, nil
	}
	list := elements(body, 0)
	if len(list) == 0 || list[0][0] != '{' {
		return nil, nil
	}
	fields, _ := split(list[0])
	if raw, _, found := take(fields, "type"); found && isKind(raw) {
		return nil, wrong("", `a list alone is not known; {"actions":[…]} around it would be right`)
	}
	return nil, nil
}

// isKind says whether a JSON value is the name of a type of action.
func isKind(raw []byte) bool {
	return raw[0] == '"' && slices.Contains(typeNames(), unquote(raw))
}
