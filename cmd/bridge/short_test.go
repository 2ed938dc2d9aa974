package main

import (
	"flag"
	"fmt"
)

// shorter has the values that flags have by default under -short: the same tests with fewer cases.
var shorter = map[string]string{
	"chaos.length":     "5s",
	"chaos.seeds":      "20",
	"chaos.real":       "2",
	"chaos.bars":       "5",
	"crash.kills":      "1",
	"crash.calls":      "4",
	"stuck.calls":      "20",
	"stuck.utterances": "3",
}

// useShorter sets the flags that the command line does not set.
func useShorter() error {
	given := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { given[f.Name] = true })
	for name, value := range shorter {
		if given[name] {
			continue
		}
		if err := flag.Set(name, value); err != nil {
			return fmt.Errorf("-%s: %w", name, err)
		}
	}
	return nil
}
