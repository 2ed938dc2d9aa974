package journal

import (
	"errors"
	"fmt"
	"testing"

	"aldeabridge/events"
)

// limit bounds the growth of the database to a number of pages.
func limit(t *testing.T, s *Store, pages int) {
	t.Helper()
	err := s.change(t.Context(), func(w *writer) error {
		var have int
		if err := w.conn.QueryRowContext(w.ctx, `PRAGMA page_count`).Scan(&have); err != nil {
			return err
		}
		return w.conn.QueryRowContext(w.ctx, fmt.Sprintf(`PRAGMA max_page_count = %d`, have+pages)).Scan(&have)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestAFullDiskRefusesEventsAndLosesNone(t *testing.T) {
	s := opened(t, "crm")
	limit(t, s, 20)
	var taken int
	var refused events.Event
	for {
		refused = utterance("A", taken)
		refused.ID = events.NewID(refused.Time)
		if _, err := s.Append(t.Context(), refused); err != nil {
			if !errors.Is(err, ErrDisk) {
				t.Fatalf("got %v, want ErrDisk", err)
			}
			break
		}
		if taken++; taken > 10_000 {
			t.Fatal("the disk does not get full")
		}
	}
	if err := s.Health(); !errors.Is(err, ErrDisk) {
		t.Errorf("got health %v, want ErrDisk", err)
	}
	settled(t, s, 1, "crm", "delivered") // waits
	records, err := s.Read(t.Context(), 0, taken)
	if err != nil || len(records) != taken-1 {
		t.Errorf("got %d records %v, want the %d that wait", len(records), err, taken-1)
	}
	limit(t, s, 1000)
	r := put(t, s, refused)[0]
	if r.Sequence != int64(taken+1) || r.Position != int64(taken+1) {
		t.Errorf("got sequence %d at %d once there is room, want %d", r.Sequence, r.Position, taken+1)
	}
	if err := s.Health(); err != nil {
		t.Errorf("got health %v, want none", err)
	}
	if got := s.Stats(); got.Failures == 0 || got.Appended != int64(taken+1) {
		t.Errorf("got %+v, want failures and %d appended", got, taken+1)
	}
	s = reopened(t, s, "crm")
	records, err = s.Read(t.Context(), 0, 2*taken)
	if err != nil || len(records) != taken {
		t.Errorf("got %d records %v after a restart, want %d", len(records), err, taken)
	}
}
