package journal

import (
	"context"
	"database/sql"
	"strings"
	"unicode"

	"aldeabridge/events"
)

// A Search says which utterances are wanted.
type Search struct {
	// Text is one or more words, all of which must have been said in one utterance, in any order and
	// spelling of upper and lower case or accents. Words in double quotes are a phrase; a * behind a word stands for
	// any ending.
	Text   string
	Cursor string // from the page before
	Limit  int    // utterances a page, at most 1000; zero means 50
}

// Found is an utterance that was searched for.
type Found struct {
	Record events.Record
	// Snippet is the text about the words, in which each begins with U+0002 and ends with U+0003.
	Snippet string
}

// Search returns a page of utterances, newest first, and the cursor of the next page: empty after the last. A text
// without any word finds nothing.
func (s *Store) Search(ctx context.Context, q Search) (found []Found, next string, err error) {
	match := matching(q.Text)
	if match == "" {
		return nil, "", nil
	}
	var w where
	w.add("said MATCH ?", match)
	if q.Cursor != "" {
		position, _, err := parseCursor(q.Cursor)
		if err != nil {
			return nil, "", err
		}
		w.add("said.rowid < ?", position)
	}
	limit := page(q.Limit)
	found, err = collect(ctx, s, scanFound, `SELECT `+recordColumns+`, snippet(said, 0, char(2), char(3), '…', 24)
		FROM said JOIN events e ON e.position = said.rowid JOIN calls c ON c.key = e.call`+w.String()+
		` ORDER BY said.rowid DESC LIMIT ?`, append(w.args, limit+1)...)
	if len(found) > limit {
		found = found[:limit]
		next = cursor(found[limit-1].Record.Position, 0)
	}
	return found, next, err
}

func scanFound(rows *sql.Rows) (f Found, err error) {
	r := &f.Record
	r.Stored, err = scanInto(rows, r, &f.Snippet)
	return f, err
}

// matching is text in the query language of FTS5. Each word is quoted, so that nothing in it is an operator there.
func matching(text string) string {
	var terms []string
	for i, part := range strings.Split(text, `"`) {
		words := strings.Fields(part)
		if i%2 == 1 { // between quotes
			words = []string{part}
		}
		for _, word := range words {
			if strings.IndexFunc(word, isWord) < 0 {
				continue
			}
			term := `"` + strings.TrimSuffix(word, "*") + `"`
			if strings.HasSuffix(word, "*") {
				term += " *"
			}
			terms = append(terms, term)
		}
	}
	return strings.Join(terms, " ")
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
