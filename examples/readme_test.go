package examples

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEachExampleIsShortRunAndListed(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*/*")
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string]int{}
	for _, file := range files {
		example := filepath.Dir(file)
		if ext := filepath.Ext(file); ext != ".go" && ext != ".mjs" && ext != ".py" {
			continue
		}
		sources[example]++
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if n := bytes.Count(b, []byte("\n")); n >= 80 {
			t.Errorf("%s has %d lines; less than 80 would be right", file, n)
		}
		for i, line := range strings.Split(string(b), "\n") {
			if n := len([]rune(line)); n > 150 {
				t.Errorf("%s:%d: %d characters are not short either", file, i+1, n)
			}
		}
		if run := command(example); len(run) > 1 && run[1] != file {
			t.Errorf("%s is not run by any test", file)
		}
		if !bytes.Contains(readme, []byte("| ["+example+"]("+example+") |")) {
			t.Errorf("README.md does not list %s", example)
		}
	}
	if len(sources) != len(commands) {
		t.Errorf("got sources of %v, want those of the %d examples that are run", sources, len(commands))
	}
}
