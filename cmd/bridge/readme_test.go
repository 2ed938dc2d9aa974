package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// example matches a command of bridge in a document's shell block: what stands behind the program's name.
var example = regexp.MustCompile(`^(?:bin/)?bridge(?:\s+(.*))?$`)

// Every command that the documents show can be parsed, and the files that it names are there.
func TestTheCommandsOfTheDocumentsAreRight(t *testing.T) {
	t.Chdir("../..")
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md", "examples/README.md") {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, block := range regexp.MustCompile("(?s)```sh\n(.*?)```").FindAllStringSubmatch(string(b), -1) {
			for _, line := range strings.Split(strings.ReplaceAll(block[1], "\\\n", " "), "\n") {
				env, args, found := exampleOf(line)
				if !found {
					continue
				}
				seen++
				t.Run(page+" "+strings.TrimSpace(line), func(t *testing.T) { parseExample(t, env, args) })
			}
		}
	}
	if seen < 20 {
		t.Errorf("got %d commands, want those of all documents", seen)
	}
}

// exampleOf returns the environment and the arguments of a line such as `NAME=value bin/bridge call x.wav  # comment`.
func exampleOf(line string) (env map[string]string, args []string, found bool) {
	env = map[string]string{}
	words := shellWords(line)
	for len(words) > 0 {
		name, value, assigned := strings.Cut(words[0], "=")
		if !assigned || name != strings.ToUpper(name) {
			break
		}
		env[name], words = value, words[1:]
	}
	if len(words) == 0 || !example.MatchString(words[0]) {
		return nil, nil, false
	}
	return env, words[1:], true
}

// shellWords splits a line as a shell does: quotes, and comments behind a #.
func shellWords(line string) (words []string) {
	var word strings.Builder
	quote, begun := rune(0), false
	for _, r := range line + " " {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			word.WriteRune(r)
		case r == '\'' || r == '"':
			quote, begun = r, true
		case r == ' ' || r == '\t':
			if begun {
				words = append(words, word.String())
			}
			word.Reset()
			begun = false
		case r == '#' && !begun, r == '&', r == '|', r == ';':
			return words
		default:
			word.WriteRune(r)
			begun = true
		}
	}
	return words
}

// placeholders are what documents write where a reader puts something of their own.
var placeholders = map[string]string{"FILE.wav": "cmd/bridge/voice/caller.wav", "FILE": "README.md", "$(pgrep": "1"}

func parseExample(t *testing.T, env map[string]string, args []string) {
	for i, a := range args {
		if file, ok := placeholders[a]; ok {
			args[i] = file
		}
		if a == "$(pgrep" {
			args = args[:i+1]
			break
		}
	}
	for name, value := range env {
		if strings.Contains(value, "…") { // a secret
			value = map[string]string{"WEBHOOK_SECRET": secretA, "BRIDGE_API_TOKEN": "0123456789abcdef", "BRIDGE_MEDIA_TOKEN": "0123456789abcdef"}[name]
			if value == "" {
				value = "org_0123456789abcdef"
			}
		}
		t.Setenv(name, value)
	}
	var p program
	parser, err := newParser(&p, terminal{io.Discard, io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if len(args) > 0 && (args[0] == "help" || args[len(args)-1] == "--help") {
		return
	}
	if _, err := parser.Parse(args); err != nil {
		t.Errorf("%v: %v", args, err)
	}
}

// Every file that the documents link to or name in code is there.
func TestTheFilesOfTheDocumentsExist(t *testing.T) {
	t.Chdir("../..")
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := regexp.MustCompile(`\]\(([^)#:]+)(?:#[^)]*)?\)`)
	for _, page := range append(pages, "README.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "CHANGELOG.md", "examples/README.md") {
		b, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range links.FindAllStringSubmatch(string(b), -1) {
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), link[1])); err != nil {
				t.Errorf("%s: %v", page, err)
			}
		}
	}
}
