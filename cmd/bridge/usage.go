package main

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// asFlags returns args in the form that kong reads: `bridge help` and `bridge help COMMAND` are --help.
func asFlags(args []string) []string {
	if len(args) == 0 || args[0] != "help" {
		return args
	}
	return append(slices.Clone(args[1:]), "--help")
}

// usageError is an error of the command line, in our words, with the help that lists what would be right.
func usageError(parser *kong.Kong, args []string, err error) error {
	command, explicit := selected(parser, args, err)
	name, unexpected := strings.CutPrefix(err.Error(), "unexpected argument ")
	if unexpected && !explicit {
		return unknownCommand(parser, name)
	}
	text := reword(command, err.Error())
	return fmt.Errorf("%s (bridge %s --help shows every option)", withNames(command, text), command.Name)
}

// selected returns the command that args or the default chose, and whether args name it.
func selected(parser *kong.Kong, args []string, err error) (command *kong.Node, explicit bool) {
	command = parser.Model.DefaultCmd
	if e := (*kong.ParseError)(nil); errors.As(err, &e) && e.Context.Selected() != nil {
		command = e.Context.Selected()
	}
	return command, slices.Contains(args, command.Name)
}

// unknownCommand is the error about a command that does not exist.
func unknownCommand(parser *kong.Kong, name string) error {
	var alike []string
	least := 2 // more changes make another word
	for _, c := range parser.Model.Children {
		d := distance(name, c.Name)
		if len(name) > 2 && strings.HasPrefix(c.Name, name) {
			d = 0 // the rest is left out
		}
		if d < least {
			alike, least = nil, d
		}
		if d == least {
			alike = append(alike, strconv.Quote(c.Name))
		}
	}
	hint := ""
	if len(alike) > 0 {
		hint = ", did you mean " + strings.Join(alike, " or ") + "?"
	}
	return fmt.Errorf("unknown command %q%s (bridge --help lists the commands)", name, hint)
}

// distance is how many letters must be changed, added or removed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// wordings are what kong says, and what it means to a person.
var wordings = []struct {
	kong  *regexp.Regexp
	plain string
}{
	{regexp.MustCompile(` \(from envar \w+="(?s:.*)"\)$`), ""},
	{regexp.MustCompile(`^(--[\w-]+) must be one of (.*) but got (".*")$`), "$1: $3 is not one of $2"},
	{regexp.MustCompile(`expected a valid \d+ bit u?int but got (".*")$`), "$1 is not a whole number"},
	{regexp.MustCompile(`expected a float but got (".*") \(string\)$`), "$1 is not a number"},
	{regexp.MustCompile(`expected duration but got (".*"): time: .*$`), "$1 is not a length of time, such as 500ms, 30s or 1h30m"},
	{regexp.MustCompile(`bool value must be .* but got (".*")$`), "$1 is not true or false"},
	{regexp.MustCompile(`expected \w+ value but got "EOL".*$`), "a value is missing"},
	{regexp.MustCompile(`^expected "(.*)"$`), "$1 is missing"},
}

// enumItem is an item of a list of values as kong writes it.
var enumItem = regexp.MustCompile(`"([^"]*)",?`)

// reword returns what kong says of a command's arguments, in our words.
func reword(command *kong.Node, text string) string {
	text = strings.TrimPrefix(text, command.Name+": ")
	for _, w := range wordings {
		text = w.kong.ReplaceAllString(text, w.plain)
	}
	before, list, isEnum := strings.Cut(text, " is not one of ")
	if !isEnum {
		return text
	}
	var values []string
	for _, item := range enumItem.FindAllStringSubmatch(list, -1) {
		if item[1] != "" {
			values = append(values, item[1])
		}
	}
	return before + " is not one of " + strings.Join(values, ", ")
}

// optionName matches the option that a line is about: its flag or its environment variable.
var optionName = regexp.MustCompile(`(?m)^(--[a-z-]+|[A-Z][A-Z0-9_]+): `)

// withNames returns text with both names of the option that each line is about: --listen (BRIDGE_LISTEN): …
func withNames(command *kong.Node, text string) string {
	return optionName.ReplaceAllStringFunc(text, func(s string) string {
		name := strings.TrimSuffix(s, ": ")
		for _, group := range command.AllFlags(false) {
			for _, f := range group {
				if flag := "--" + f.Name; !f.Hidden && len(f.Envs) > 0 && (name == flag || name == f.Envs[0]) {
					return flag + " (" + f.Envs[0] + "): "
				}
			}
		}
		return s
	})
}

// roomName matches the name of the package that an error comes from.
var roomName = regexp.MustCompile(`(^|: )(?:aldea|client|codec|control|journal|media|mediatest|sandbox): `)

// forPeople is err with both names of each option that it is about, and without names of packages.
func forPeople(command *kong.Node, err error) error {
	if err == nil || command == nil {
		return err
	}
	text := roomName.ReplaceAllString(err.Error(), "$1")
	if text = withNames(command, text); text != err.Error() {
		return reworded{text, err}
	}
	return err
}

// reworded is an error with another text.
type reworded struct {
	text string
	err  error
}

func (e reworded) Error() string { return e.text }
func (e reworded) Unwrap() error { return e.err }
