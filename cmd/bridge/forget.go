package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"aldeabridge/internal/api/client"
	"aldeabridge/internal/api/types"
)

type forgetCmd struct {
	apiOptions `embed:""`
	Calls      []string `arg:"" name:"call" help:"Ids of calls that have ended."`
	Yes        bool     `short:"y" help:"Do not ask."`
}

// Run deletes all that is kept of the calls. It goes on behind a call that it cannot delete, and fails at the end.
func (c *forgetCmd) Run(ctx context.Context, term terminal) error {
	api, err := c.client()
	if err != nil {
		return err
	}
	if !c.Yes && !isTerminal(os.Stdin) {
		return errors.New("there is nobody to ask whether you are sure: pass --yes")
	}
	answers := bufio.NewReader(os.Stdin)
	failed := 0
	for _, id := range c.Calls {
		call, err := client.Get[types.Call](ctx, api, "/v1/calls/"+url.PathEscape(id), nil)
		if err == nil && !c.Yes {
			if sure, err := asked(ctx, func() bool { return confirm(answers, term.stderr, call) }); err != nil {
				return err
			} else if !sure {
				continue
			}
		}
		if err == nil {
			err = api.Delete(ctx, "/v1/calls/"+url.PathEscape(id))
		}
		if p := (*client.Problem)(nil); err != nil && !errors.As(err, &p) {
			return err
		}
		if err != nil {
			failed++
			fmt.Fprintf(term.stderr, "%v\n", explain(err))
			continue
		}
		fmt.Fprintf(term.stdout, "forgotten: %s\n", printable(id))
	}
	if failed > 0 {
		return exitCode(1) // each was explained
	}
	return nil
}

// asked returns the answer, or an error when ctx ends before. What still waits for an answer then ends with the program:
// nothing else interrupts reading from a terminal.
func asked(ctx context.Context, ask func() bool) (bool, error) {
	answer := make(chan bool, 1)
	go func() { answer <- ask() }()
	select {
	case sure := <-answer:
		return sure, nil
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// confirm asks whether a call may be deleted. Whatever is not yes is no.
func confirm(answers *bufio.Reader, out io.Writer, call types.Call) bool {
	fmt.Fprintf(out, "Forget for ever what was said on %s (%s → %s, %s, utterances: %d)? [y/N] ",
		printable(call.ID), printable(orDash(call.From)), printable(orDash(call.To)), localTime(call.Started), call.Utterances)
	line, err := answers.ReadString('\n')
	if err != nil {
		fmt.Fprintln(out)
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes"
}
