package api

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// A format is a way to write a transcript.
type format struct {
	name, contentType string
	file              bool // meant to be kept, not to be looked at
	write             func(io.Writer, types.Transcript) error
}

// formats are all, the one for those who do not care in front.
func formats() []format {
	return []format{
		{name: "json", contentType: fiber.MIMEApplicationJSON},
		{"text", "text/plain; charset=utf-8", false, writeText},
		{"srt", "application/x-subrip; charset=utf-8", true, writeSRT},
		{"vtt", "text/vtt; charset=utf-8", true, writeVTT},
		{"csv", "text/csv; charset=utf-8; header=present", true, writeCSV},
	}
}

// transcript answers GET /v1/calls/{id}/transcript.
func (a *API) transcript(ctx context.Context, c *fiber.Ctx, q *query) error {
	f := chooseFormat(c, q)
	if q.err != nil {
		return q.err
	}
	call, err := a.call(ctx, c)
	if err != nil {
		return err
	}
	t := types.Transcript{Call: call}
	if t.Utterances, err = utterances(ctx, a.config.Journal, call.ID); err != nil {
		return err
	}
	c.Vary(fiber.HeaderAccept)
	if f.write == nil {
		return answerJSON(c, t)
	}
	var b bytes.Buffer
	if err := f.write(&b, t); err != nil {
		return err
	}
	if f.file {
		c.Set(fiber.HeaderContentDisposition, `attachment; filename="`+fileName(call.ID, f.name)+`"`)
	}
	c.Set(fiber.HeaderContentType, f.contentType)
	return c.Send(b.Bytes())
}

// chooseFormat is what the parameter format says, or else the header Accept.
func chooseFormat(c *fiber.Ctx, q *query) format {
	all := formats()
	names, types := make([]string, len(all)), make([]string, len(all))
	for i, f := range all {
		names[i] = f.name
		types[i], _, _ = strings.Cut(f.contentType, ";")
	}
	if name := q.oneOf("format", names...); name != "" {
		return all[max(slices.Index(names, name), 0)]
	}
	return all[max(slices.Index(types, c.Accepts(types...)), 0)]
}

// fileName is a name for a file about a call, whose id may be any text.
func fileName(id, extension string) string {
	safe := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, id)
	return "transcript-" + safe[:min(len(safe), 100)] + "." + extension
}

// utterances reads what was said on a call, in the order of start times. Those are on the call's time line, whichever of its
// streams an utterance is of, and no format adds anything to them.
func utterances(ctx context.Context, j Journal, call string) ([]types.Utterance, error) {
	all := []types.Utterance{}
	for sequence := int64(0); ; {
		records, err := j.Events(ctx, call, sequence, maxPage)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			sequence = r.Sequence
			if r.Type != events.TypeUtteranceFinal {
				continue
			}
			e, err := decode(r)
			if err != nil {
				return nil, err
			}
			if u, ok := e.Body.(events.UtteranceFinal); ok {
				one := types.Utterance{Utterance: u.Utterance, StreamID: e.Call.StreamID}
				one.Words = append([]events.Word{}, one.Words...)
				all = append(all, one)
			}
		}
	}
	slices.SortStableFunc(all, func(a, b types.Utterance) int { return cmp.Compare(a.Start, b.Start) })
	return all, nil
}

// decode reads the event of a record.
func decode(r events.Record) (e events.Event, err error) {
	if err := json.Unmarshal(r.Body, &e); err != nil {
		return e, fmt.Errorf("api: event %s: %w", r.ID, err)
	}
	return e, nil
}
