package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strconv"

	"aldeabridge/events"
	"aldeabridge/internal/api/client"
)

// jsonOption chooses between what people and what programs read.
type jsonOption struct {
	JSON *bool `name:"json" negatable:"" help:"Print JSON lines; the default where the output is no terminal."`
}

// wanted says whether JSON goes to w.
func (o jsonOption) wanted(w io.Writer) bool {
	if o.JSON != nil {
		return *o.JSON
	}
	return !isTerminal(w)
}

// listOptions are those of every command that prints a list.
type listOptions struct {
	jsonOption `embed:""`
	Limit      int `default:"50" placeholder:"N" help:"How many at most, newest first (${default}); 0 is all."`
}

// Validate rejects nonsense by the option's name.
func (o *listOptions) Validate() error {
	if o.Limit < 0 {
		return fmt.Errorf("--limit: %d is less than 0", o.Limit)
	}
	return nil
}

// list asks for a list and hands each item to show; or, where JSON is wanted, prints its bytes and shows nothing.
// It returns how many there were, up to the limit, and says so if there are more.
func list[T any](ctx context.Context, term terminal, o listOptions, c *client.Client, path string, query url.Values, show func(T)) (n int, err error) {
	const most = 1000 // of a page
	if o.Limit > 0 {
		query.Set("limit", strconv.Itoa(min(o.Limit+1, most)))
	}
	asJSON := o.wanted(term.stdout)
	for raw, err := range client.List[json.RawMessage](ctx, c, path, query) {
		if err != nil {
			return n, err
		}
		if n == o.Limit && n > 0 {
			fmt.Fprintln(term.stderr, "There are more: --limit 0 is all.")
			break
		}
		n++
		if asJSON {
			if err := printJSON(term.stdout, raw); err != nil {
				return n, err
			}
			continue
		}
		var item T
		if err := json.Unmarshal(raw, &item); err != nil {
			return n, fmt.Errorf("%w: %w", client.ErrNotBridge, err)
		}
		show(item)
	}
	return n, nil
}

// printJSON prints JSON on one line: the very bytes, but with escapes for characters that a terminal would obey or hide.
// Also where w is no terminal, since what reads it may show it on one.
func printJSON(w io.Writer, raw []byte) error {
	line := raw
	if bytes.ContainsAny(raw, "\r\n") {
		var b bytes.Buffer
		if err := json.Compact(&b, raw); err != nil {
			return fmt.Errorf("%w: %w", client.ErrNotBridge, err)
		}
		line = b.Bytes()
	}
	line = events.EscapeHidden(line)
	_, err := w.Write(append(line[:len(line):len(line)], '\n'))
	return err
}
