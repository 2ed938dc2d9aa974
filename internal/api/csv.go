package api

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"
	"unicode"

	"aldeabridge/internal/api/types"
)

// csvColumns is the first row.
var csvColumns = []string{"call_id", "utterance_id", "index", "speaker", "start_ms", "end_ms", "confidence", "language", "ended_by", "text"}

// writeCSV writes a row for each utterance as RFC 4180 has it.
func writeCSV(w io.Writer, t types.Transcript) error {
	rows := csv.NewWriter(w)
	rows.UseCRLF = true
	if err := rows.Write(csvColumns); err != nil {
		return err
	}
	for _, u := range t.Utterances {
		if err := rows.Write([]string{
			cell(t.Call.ID), cell(u.ID), strconv.Itoa(u.Index), cell(string(u.Speaker)),
			strconv.FormatInt(millis(u.Start), 10), strconv.FormatInt(millis(u.End), 10),
			strconv.FormatFloat(u.Confidence, 'f', -1, 64), cell(u.Language), cell(string(u.EndedBy)), cell(u.Text),
		}); err != nil {
			return err
		}
	}
	rows.Flush()
	return rows.Error()
}

// cell is text that a spreadsheet does not run: what begins like a formula gets an apostrophe in front. What callers
// say, and what carriers call things, is data. Where a semicolon separates cells, as in much of Europe, the text
// behind one is a cell too.
func cell(text string) string {
	parts := strings.Split(plain(text), ";")
	for i, part := range parts {
		seen := strings.TrimLeftFunc(part, func(r rune) bool { return unicode.IsSpace(r) || unicode.Is(unicode.Cf, r) })
		if strings.IndexAny(seen, "=+-@＝＋－＠") == 0 {
			parts[i] = "'" + part
		}
	}
	return strings.Join(parts, ";")
}
