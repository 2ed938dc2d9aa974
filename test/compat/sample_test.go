package compat

import (
	"encoding/json"
	"fmt"
)

// free are the objects whose fields belong to users: what stands in them may change with the example.
var free = map[string]bool{"params": true, "action": true}

// compareSamples returns the fields of the old JSON value that the new one has not, or has with another type. Null stands for any
// type. The elements of an array are compared as if they were one, with the fields of all.
func compareSamples(old, new []byte) ([]string, error) {
	var before, after any
	if err := json.Unmarshal(old, &before); err != nil {
		return nil, fmt.Errorf("old event: %w", err)
	}
	if err := json.Unmarshal(new, &after); err != nil {
		return nil, fmt.Errorf("new event: %w", err)
	}
	return missing("event", before, after), nil
}

func missing(at string, old, new any) (broken []string) {
	if old == nil || new == nil {
		return nil
	}
	if b, a := kind(old), kind(new); a != b {
		return []string{fmt.Sprintf("%s: the type was %s and is %s", at, b, a)}
	}
	switch old := old.(type) {
	case map[string]any:
		for _, name := range sorted(old) {
			value, ok := new.(map[string]any)[name]
			switch {
			case !ok:
				broken = append(broken, fmt.Sprintf("%s: the field %q is gone", at, name))
			case !free[name]:
				broken = append(broken, missing(at+"."+name, old[name], value)...)
			}
		}
	case []any:
		if len(old) > 0 && len(new.([]any)) == 0 {
			return []string{at + ": the example has no element any more, so nothing can be compared"}
		}
		broken = missing(at+"[]", merged(old), merged(new.([]any)))
	}
	return broken
}

// merged returns an object with the fields of all elements, or the first element if they are no objects.
func merged(elements []any) any {
	if len(elements) == 0 {
		return nil
	}
	all := map[string]any{}
	for _, e := range elements {
		object, ok := e.(map[string]any)
		if !ok {
			return elements[0]
		}
		for name, v := range object {
			if all[name] == nil {
				all[name] = v
			}
		}
	}
	return all
}

func kind(v any) string {
	switch v.(type) {
	case map[string]any:
		return "object"
	case []any:
		return "array"
	case string:
		return "string"
	case float64:
		return "number"
	}
	return "boolean"
}
