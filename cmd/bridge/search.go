package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"aldeabridge/internal/api/client"
	"aldeabridge/internal/api/types"
)

type searchCmd struct {
	apiOptions  `embed:""`
	listOptions `embed:""`
	Words       []string `arg:"" help:"What was said in one utterance, in any order; refund* is any ending, '\"my order\"' a phrase."`
}

// Run prints the utterances in which all words were said, newest first.
func (c *searchCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	text := strings.TrimSpace(strings.Join(c.Words, " "))
	if text == "" {
		return errors.New("say what to look for: bridge search refund")
	}
	mark := func(s string) string { return s }
	if isTerminal(term.stdout) {
		mark = bold
	}
	n, err := list(ctx, term, c.listOptions, api, "/v1/search", url.Values{"q": {text}}, func(f types.Found) {
		fmt.Fprintf(term.stdout, "%s  %s  %s  %s\n", localTime(f.Timestamp), printable(f.CallID), f.Utterance.Start.Clock(), printable(string(f.Utterance.Speaker)))
		fmt.Fprintf(term.stdout, "    %s\n", highlight(f.Snippet, f.Highlights, mark))
	})
	if p := (*client.Problem)(nil); errors.As(err, &p) && strings.HasPrefix(p.Detail, "q: ") {
		return errors.New(printable("search: " + p.Detail[len("q: "):]))
	}
	if err == nil && n == 0 && !c.wanted(term.stdout) {
		fmt.Fprintln(term.stderr, "Nobody said that.")
	}
	return err
}

// highlight marks parts of text, given as pairs of positions that count code points. The result is printable.
func highlight(text string, parts [][2]int, mark func(string) string) string {
	runes := []rune(text)
	var b strings.Builder
	at := 0
	for _, p := range parts {
		from, to := min(max(p[0], at), len(runes)), min(p[1], len(runes))
		if to <= from {
			continue
		}
		b.WriteString(printable(string(runes[at:from])))
		b.WriteString(mark(printable(string(runes[from:to]))))
		at = to
	}
	b.WriteString(printable(string(runes[at:])))
	return b.String()
}
