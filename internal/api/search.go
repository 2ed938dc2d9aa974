package api

import (
	"context"
	"errors"
	"fmt"

	"github.com/gofiber/fiber/v2"

	"aldeabridge/events"
	"aldeabridge/internal/api/types"
)

// search answers GET /v1/search.
func (a *API) search(ctx context.Context, c *fiber.Ctx, q *query) error {
	f := SearchFilter{Text: q.text("q"), Cursor: q.text("cursor"), Limit: q.limit()}
	if f.Text == "" {
		return refuse(fiber.StatusBadRequest, `q is missing: give the words to look for, such as q=refund or q="money back".`)
	}
	if q.err != nil {
		return q.err
	}
	hits, next, err := a.config.Journal.Search(ctx, f)
	if wrong := (*SearchError)(nil); errors.As(err, &wrong) {
		return refuse(fiber.StatusBadRequest, "q: %s.", wrong.Reason)
	}
	if err != nil {
		return err
	}
	found := make([]types.Found, len(hits))
	for i, h := range hits {
		if found[i], err = foundOf(h); err != nil {
			return err
		}
	}
	return answerJSON(c, page(found, next))
}

// foundOf is a hit as clients see it.
func foundOf(h Hit) (types.Found, error) {
	e, err := decode(h.Record)
	if err != nil {
		return types.Found{}, err
	}
	u, ok := e.Body.(events.UtteranceFinal)
	if !ok {
		return types.Found{}, fmt.Errorf("api: a search found %s of type %s", h.Record.ID, h.Record.Type)
	}
	f := types.Found{CallID: h.Record.CallID, Position: h.Record.Position, Sequence: h.Record.Sequence, Timestamp: types.Time{Time: e.Time}, Utterance: u.Utterance}
	f.Snippet, f.Highlights = highlights(h.Snippet)
	return f, nil
}

// highlights takes the marks out of a snippet and says where they were, counted in code points.
func highlights(marked string) (plain string, spans [][2]int) {
	var text []rune
	spans = [][2]int{}
	from := -1
	for _, r := range marked {
		switch r {
		case '\u0002':
			from = len(text)
		case '\u0003':
			if from >= 0 {
				spans = append(spans, [2]int{from, len(text)})
			}
			from = -1
		default:
			text = append(text, r)
		}
	}
	return string(text), spans
}
