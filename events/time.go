package events

import (
	"encoding/json"
	"fmt"
	"math"
	"time"
)

// Offset is a time inside a call, counted from the first sample of its first media stream. In JSON it is an integer number of
// milliseconds, and the field's name ends in _ms.
type Offset time.Duration

// Duration is the offset as a time.Duration.
func (o Offset) Duration() time.Duration { return time.Duration(o) }

// String is the offset as a clock shows it: 1:02.345.
func (o Offset) String() string {
	ms := time.Duration(o).Milliseconds()
	return fmt.Sprintf("%d:%02d.%03d", ms/60_000, ms/1000%60, ms%1000)
}

// Clock is the offset in minutes, seconds and the tenths that have passed, 1:02.3, as transcripts and terminals show it. What is
// below zero is zero.
func (o Offset) Clock() string {
	tenths := max(time.Duration(o).Round(time.Millisecond), 0) / (100 * time.Millisecond)
	return fmt.Sprintf("%d:%02d.%d", tenths/600, tenths/10%60, tenths%10)
}

// MarshalJSON writes whole milliseconds, rounded to the nearest.
func (o Offset) MarshalJSON() ([]byte, error) {
	return json.Marshal(time.Duration(o).Round(time.Millisecond).Milliseconds())
}

// maxMillis is what fits into a time.Duration.
const maxMillis = int64(math.MaxInt64 / time.Millisecond)

// UnmarshalJSON reads whole milliseconds.
func (o *Offset) UnmarshalJSON(b []byte) error {
	var ms int64
	if err := json.Unmarshal(b, &ms); err != nil {
		return fmt.Errorf("events: offset: %w", err)
	}
	if ms > maxMillis || ms < -maxMillis {
		return fmt.Errorf("events: offset of %d ms is longer than any call", ms)
	}
	*o = Offset(time.Duration(ms) * time.Millisecond)
	return nil
}
