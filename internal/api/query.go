package api

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
)

const (
	maxPage     = 1000
	defaultPage = 50
)

// A query is the parameters of a request. Its methods read them one by one; the first that is wrong is kept in err.
// Nothing of it is fasthttp's memory. A parameter that is empty counts as not given.
type query struct {
	values url.Values
	err    error
}

// readQuery reads the query of a request that may have these parameters.
func readQuery(c *fiber.Ctx, known []string) (*query, error) {
	values, err := url.ParseQuery(string(c.Request().URI().QueryString()))
	if err != nil {
		return nil, refuse(fiber.StatusBadRequest, "The query is not readable: %v.", err)
	}
	for name, all := range values {
		if !slices.Contains(known, name) {
			return nil, refuse(fiber.StatusBadRequest, "There is no parameter %q here: %s.", name, expected(known))
		}
		if len(all) > 1 {
			return nil, refuse(fiber.StatusBadRequest, "%s is given %d times: give it once.", name, len(all))
		}
	}
	return &query{values: values}, nil
}

// expected says which parameters there are.
func expected(known []string) string {
	if len(known) == 0 {
		return "this route takes none"
	}
	return "this route takes " + strings.Join(known, ", ")
}

// wrong notes that a parameter cannot be read.
func (q *query) wrong(name, right string) {
	if q.err == nil {
		q.err = refuse(fiber.StatusBadRequest, "%s: %q is not %s.", name, q.values.Get(name), right)
	}
}

func (q *query) text(name string) string { return q.values.Get(name) }

// oneOf reads a word.
func (q *query) oneOf(name string, words ...string) string {
	word := q.text(name)
	if word != "" && !slices.Contains(words, word) {
		q.wrong(name, "one of "+strings.Join(words, ", "))
	}
	return word
}

// limit reads how long a page may be.
func (q *query) limit() int {
	text := q.text("limit")
	if text == "" {
		return defaultPage
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > maxPage {
		q.wrong("limit", "a number from 1 to 1000")
	}
	return n
}

// time reads a moment.
func (q *query) time(name string) time.Time {
	text := q.text(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, strings.Replace(text, " ", "+", 1)) // a + that was not encoded
	if err != nil || !inRange(t) {
		q.wrong(name, "a time like 2026-01-02T03:04:05Z")
	}
	return t
}

// day reads a day of UTC: its beginning and its end.
func (q *query) day(name string) (from, to time.Time) {
	text := q.text(name)
	if text == "" {
		return
	}
	from, err := time.Parse(time.DateOnly, text)
	if err != nil || !inRange(from) {
		q.wrong(name, "a day like 2026-01-02")
	}
	return from, from.AddDate(0, 0, 1)
}

// inRange says whether a journal that counts nanoseconds since 1970 can look for t.
func inRange(t time.Time) bool { return t.Year() >= 1970 && t.Year() < 2262 }

// number reads a telephone number.
func (q *query) number(name string) string {
	text := q.text(name)
	if strings.HasPrefix(text, " ") { // a + that was not encoded
		return "+" + text[1:]
	}
	return text
}

// parameter reads a part of the path, decoded and in memory of its own.
func parameter(c *fiber.Ctx, name string) (string, error) {
	text, err := url.PathUnescape(c.Params(name))
	if err != nil {
		return "", refuse(fiber.StatusBadRequest, "The path is not readable: %v.", err)
	}
	return strings.Clone(text), nil
}
