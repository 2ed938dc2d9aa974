package sandbox

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page lists each setting of a fault, with the values that it can have, and its examples can be read.
func TestTheDocumentListsEveryFault(t *testing.T) {
	b, err := os.ReadFile("../../docs/sandbox.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(b)
	rows := regexp.MustCompile("(?m)^\\| `([a-z-]+)` \\|(.*?)\\|").FindAllStringSubmatch(page[strings.Index(page, "## Faults"):], -1)
	var listed []string
	values := map[string]string{}
	for _, row := range rows {
		listed = append(listed, row[1])
		values[row[1]] = strings.TrimSpace(row[2])
	}
	var want []string
	for _, k := range faultSettings {
		want = append(want, k.name)
		choices, ok := strings.CutPrefix(k.want, "one of ")
		if ok && values[k.name] != "`"+strings.ReplaceAll(choices, ", ", "`, `")+"`" {
			t.Errorf("%s: got %s, want %s", k.name, values[k.name], choices)
		}
		if flag := values[k.name] == ""; flag != (k.form == formFlag) {
			t.Errorf("%s: got the value %q, want one: %v", k.name, values[k.name], k.form != formFlag)
		}
	}
	if !slices.Equal(listed, want) {
		t.Errorf("got the rows %v, want %v", listed, want)
	}
	examples := regexp.MustCompile("(?s)```text\n(.*?)```").FindAllStringSubmatch(page, -1)
	if len(examples) != 2 {
		t.Fatalf("got %d examples, want a script and faults", len(examples))
	}
	if lines, err := ParseScript(examples[0][1]); err != nil || len(lines) != 3 {
		t.Errorf("script: got %d lines, %v, want 3", len(lines), err)
	}
	for _, line := range strings.Split(strings.TrimSpace(examples[1][1]), "\n") {
		if _, err := ParseFaults(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	for _, body := range regexp.MustCompile(`(?m)-d '(.*)'`).FindAllStringSubmatch(page, -1) {
		var f Faults
		if err := f.UnmarshalJSON([]byte(body[1])); err != nil || len(f.Plan) != 2 {
			t.Errorf("%s: got %+v, %v", body[1], f, err)
		}
	}
	for _, path := range slices.Concat(streamPaths, postPaths, []string{pathInspect, pathControl}) {
		if !strings.Contains(page, "`"+path+"`") && !strings.Contains(page, " "+path+"`") {
			t.Errorf("docs/sandbox.md has no %s", path)
		}
	}
}

func TestATabStandsBehindATime(t *testing.T) {
	if lines, err := ParseScript("0.5\thello world"); err != nil || len(lines) != 1 || lines[0].Text != "hello world" {
		t.Errorf("got %+v, %v", lines, err)
	}
}
