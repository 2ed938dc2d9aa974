package types

import "time"

// clock is how times are written: RFC 3339 to the millisecond.
const clock = "2006-01-02T15:04:05.000Z07:00"

// A Time is a moment in JSON: RFC 3339, UTC, to the millisecond. The zero Time is null.
type Time struct{ time.Time }

// MarshalJSON writes the time or null.
func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return []byte(t.UTC().Format(`"` + clock + `"`)), nil
}
