package journal

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"unicode"

	"aldeabridge/events"
)

// A Search selects utterances by their text.
type Search struct {
	// Text is one or more words. All must occur in the utterance, in any order; case and accents are ignored. Words
	// in double quotes are a phrase; a * after a word matches any ending.
	Text   string
	Cursor string // returned with the previous page
	Limit  int    // utterances per page, at most 1000; zero means 50
}

// A SearchError means that the text of a search has no word, or is malformed.
type SearchError struct {
	Reason string // describes the mistake and its correction
}

// Error returns the text of the error.
func (e *SearchError) Error() string { return "journal: bad search: " + e.Reason }

// Found is an utterance that matches a search.
type Found struct {
	Record events.Record
	// Snippet is the text around the matches. Each match begins with U+0002 and ends with U+0003.
	Snippet string
}

// Search returns a page of utterances, newest first, and the cursor of the next page, empty after the last. It fails
// with a *SearchError or ErrCursor.
func (s *Store) Search(ctx context.Context, q Search) (found []Found, next string, err error) {
	match, err := matching(q.Text)
	if err != nil {
		return nil, "", err
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

// maxTerms bounds the words and phrases of a search.
const maxTerms = 64

// matching returns text as a query of FTS5. Each word is quoted, so that nothing in it is an operator.
func matching(text string) (string, error) {
	if strings.ContainsFunc(text, unreadable) {
		return "", &SearchError{"the text has a control character, or is not UTF-8"}
	}
	parts := strings.Split(text, `"`)
	if len(parts)%2 == 0 {
		return "", &SearchError{`there is an unmatched double quote: a phrase is "my order"`}
	}
	var terms []string
	for i, part := range parts {
		words := strings.Fields(part)
		if i%2 == 1 { // between quotes
			words = []string{strings.TrimSpace(part)}
		}
		for _, word := range words {
			if !strings.ContainsFunc(word, isWord) {
				continue
			}
			term, err := quoted(word)
			if err != nil {
				return "", err
			}
			terms = append(terms, term)
		}
	}
	switch {
	case len(terms) == 0:
		return "", &SearchError{"there is no word to look for: a word has a letter or a digit, such as refund or refund*"}
	case len(terms) > maxTerms:
		return "", &SearchError{fmt.Sprintf("there are %d words and phrases: at most %d can be looked for", len(terms), maxTerms)}
	}
	return strings.Join(terms, " "), nil
}

// quoted returns a word or phrase as a term of FTS5.
func quoted(word string) (string, error) {
	plain, suffix := strings.TrimRight(word, "*"), ""
	if plain != word {
		suffix = " *"
	}
	if strings.Contains(plain, "*") {
		return "", &SearchError{"a * stands for any ending of a word, so only behind one: refund*"}
	}
	return `"` + plain + `"` + suffix, nil
}

// unreadable reports whether r is a control character other than white space, or invalid UTF-8. FTS5 ends a query at
// U+0000.
func unreadable(r rune) bool {
	return r == unicode.ReplacementChar || unicode.IsControl(r) && !unicode.IsSpace(r)
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
