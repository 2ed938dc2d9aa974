package journal

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"aldeabridge/events"
)

// cases returns how many of all cases to run: a tenth with -short or under the race detector.
func cases(all int) uint64 {
	if underRace || testing.Short() {
		return uint64(all+9) / 10
	}
	return uint64(all)
}

// A picture is a copy of a journal's files as a crash leaves them, with the expected content.
type picture struct {
	db, log []byte
	records map[int64]events.Record // by position, with Owed
	pages   map[int64][]int         // pages of the file that contain an event, from 0
	highest map[string]int64        // sequence by call
	last    int64
}

// taken makes a journal with calls in all states, some deleted, and copies its files while it is open. The last logged
// transactions are only in the WAL, the others in the database file.
func taken(t testing.TB, calls, logged int) picture {
	t.Helper()
	r := rand.New(rand.NewPCG(7, 7))
	s := opened(t, "crm", "log")
	p := picture{records: map[int64]events.Record{}, highest: map[string]int64{}}
	one := func(e events.Event) {
		e.Time = noon
		record := put(t, s, e)[0]
		record.Owed = []string{"crm", "log"}
		states := []string{"delivered", "filtered", "dead:exhausted"}
		for _, endpoint := range []string{"crm", "log"} {
			if r.IntN(4) == 0 {
				continue
			}
			settled(t, s, record.Position, endpoint, states[r.IntN(3)])
			record.Owed = slices.DeleteFunc(record.Owed, func(e string) bool { return e == endpoint })
			s.Log(Attempt{EventID: record.ID, Endpoint: endpoint, Number: 1, Answer: []byte("you sent " + record.ID)})
		}
		p.records[record.Position], p.highest[record.CallID] = record, record.Sequence
	}
	for i := range 12 {
		for c := range calls {
			id := fmt.Sprint("CA", c)
			text := word(r) + strings.Repeat(" very", r.IntN(60))
			if r.IntN(20) == 0 {
				text += strings.Repeat(" long "+word(r), 300)
			}
			one(said(id, "+1555"+fmt.Sprint(c), text, i))
		}
	}
	for c := range calls / 2 {
		one(ended(fmt.Sprint("CA", c)))
	}
	for c := range calls / 8 {
		id := fmt.Sprint("CA", c)
		if err := s.DeleteCall(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		delete(p.highest, id)
		maps.DeleteFunc(p.records, func(_ int64, r events.Record) bool { return r.CallID == id })
	}
	if err := s.truncateWAL(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range logged {
		one(said(fmt.Sprint("CA", calls-1-i%(calls/4)), "", word(r), 100+i))
	}
	if err := s.flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.last = s.Last()
	p.db, p.log = read(t, s.options.Path), read(t, s.options.Path+"-wal")
	p.find()
	return p
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// put writes the picture to a new directory.
func (p picture) put(t testing.TB) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "journal.db")
	for suffix, content := range map[string][]byte{"": p.db, "-wal": p.log} {
		if content == nil {
			continue
		}
		if err := os.WriteFile(path+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// readable returns the positions of the events all of whose pages satisfy whole.
func (p picture) readable(whole func(page int) bool) map[int64]bool {
	found := map[int64]bool{}
	for position, pages := range p.pages {
		found[position] = !slices.ContainsFunc(pages, func(page int) bool { return !whole(page) })
	}
	return found
}

// find records the pages that contain any part of an event.
func (p *picture) find() {
	p.pages = map[int64][]int{}
	pieces := map[string][]int64{}
	for position, r := range p.records {
		for at := 0; at+64 <= len(r.Body); at += 32 {
			piece := string(r.Body[at : at+64])
			if !slices.Contains(pieces[piece], position) {
				pieces[piece] = append(pieces[piece], position)
			}
		}
	}
	for at := 0; at+64 <= len(p.db); at++ {
		positions := pieces[string(p.db[at:at+64])]
		if len(positions) > 1 {
			continue // this text is in every call
		}
		for _, position := range positions {
			for _, page := range []int{at / pageSize, (at + 63) / pageSize} {
				if !slices.Contains(p.pages[position], page) {
					p.pages[position] = append(p.pages[position], page)
				}
			}
		}
	}
}

// judged opens the journal at path and checks that all events of want are there, that no event changed, and that the
// journal works. It returns the number of restored events.
func (p picture) judged(t *testing.T, path string, want map[int64]bool) (carried int) {
	t.Helper()
	open := func() *Store {
		s, err := Open(Options{Path: path, Endpoints: []string{"crm", "log"}, MaxAge: -1})
		if err != nil {
			t.Fatalf("Open: %v", err)
		}
		return s
	}
	s := open()
	if err := s.Check(t.Context()); err != nil { // the pages not read so far
		if !errors.Is(err, ErrDamaged) || !errors.Is(s.Health(), ErrDamaged) {
			t.Errorf("got %v and health %v, want ErrDamaged twice", err, s.Health())
		}
		closed(t, s)
		s = open()
		if s.Stats().Salvage == nil {
			t.Errorf("got no repair at the start after damage was seen")
		}
	}
	defer func() { closed(t, s) }()
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("after the repair: %v", err)
	}
	got := map[int64]events.Record{}
	for after := int64(0); ; {
		records, err := collect(t.Context(), s, scanRecord, `SELECT `+recordColumns+fromEvents+` WHERE e.position > ? ORDER BY e.position LIMIT 1000`, after)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			got[r.Position], after = r, r.Position
		}
	}
	for position, ok := range want {
		if _, there := got[position]; ok && !there {
			t.Errorf("the event at %d could be read and is gone", position)
		}
	}
	owed := map[int64][]string{}
	for after := int64(0); after < s.Last(); {
		records, err := s.backlog(t.Context(), after, s.Last(), 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(records) == 0 {
			break
		}
		for _, r := range records {
			owed[r.Position], after = r.Owed, r.Position
		}
	}
	highest := map[string]int64{}
	for position, r := range got {
		truth, ok := p.records[position]
		if !ok || r.ID != truth.ID || r.CallID != truth.CallID || r.Sequence != truth.Sequence || r.Type != truth.Type {
			t.Errorf("got %s %s/%d at %d, want %s %s/%d", r.ID, r.CallID, r.Sequence, position, truth.ID, truth.CallID, truth.Sequence)
		}
		highest[r.CallID] = max(highest[r.CallID], r.Sequence)
		for _, endpoint := range truth.Owed {
			if !slices.Contains(owed[position], endpoint) {
				t.Errorf("the event at %d is not owed to %s any more", position, endpoint)
			}
		}
	}
	for id, r := range putAtOnce(t, s, slices.Collect(maps.Keys(highest))) {
		sequence := highest[id]
		if r.Sequence <= sequence || r.Position <= p.last && len(got) < len(p.records) {
			t.Errorf("%s: got sequence %d at %d, want more than %d and %d", id, r.Sequence, r.Position, sequence, p.last)
		}
		settled(t, s, r.Position, "crm", "delivered")
		settled(t, s, r.Position, "log", "delivered")
	}
	if found, _, err := s.Search(t.Context(), Search{Text: "so on", Limit: 1000}); err != nil || len(found) != len(highest) {
		t.Errorf("got %d found %v, want %d", len(found), err, len(highest))
	}
	if r := s.Stats().Salvage; r != nil && (r.Events != int64(len(got)) || !errors.Is(s.Health(), ErrRepaired)) {
		t.Errorf("got %v and health %v, want %d events and ErrRepaired", r, s.Health(), len(got))
	}
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("after use: %v", err)
	}
	return len(got)
}

// putAtOnce appends an event to each call, all at the same time.
func putAtOnce(t *testing.T, s *Store, calls []string) map[string]events.Record {
	t.Helper()
	all := make([]events.Record, len(calls))
	var work sync.WaitGroup
	for i, id := range calls {
		work.Go(func() {
			r, err := s.Append(t.Context(), said(id, "", "and so on", 0))
			if err != nil {
				t.Error(err)
			}
			all[i] = r
		})
	}
	work.Wait()
	found := map[string]events.Record{}
	for i, id := range calls {
		found[id] = all[i]
	}
	return found
}

func TestADamagedPageLosesOnlyItsRows(t *testing.T) {
	whole := taken(t, int(cases(12))+12, 0)
	pages := len(whole.db) / pageSize
	for seed := range cases(80) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			p := whole
			p.db, p.log = bytes.Clone(whole.db), nil
			bad := map[int]bool{}
			for range 1 + r.IntN(3) {
				page := r.IntN(pages)
				if r.IntN(3) == 0 {
					page = r.IntN(24) // the roots
				}
				bad[page] = true
				b := p.db[page*pageSize : (page+1)*pageSize]
				switch seed % 4 {
				case 0:
					clear(b)
				case 1:
					b[r.IntN(len(b))] ^= 1 << r.IntN(8)
				case 2:
					for i := range b {
						b[i] = byte(r.Uint32())
					}
				case 3:
					copy(b[512*r.IntN(8):], bytes.Repeat([]byte{0xff}, 512))
				}
			}
			carried := p.judged(t, p.put(t), whole.readable(func(page int) bool { return !bad[page] }))
			t.Logf("%d of %d events with %v of %d pages damaged", carried, len(whole.records), slices.Sorted(maps.Keys(bad)), pages)
		})
	}
}

func TestATruncatedFileLosesOnlyTheMissingPages(t *testing.T) {
	whole := taken(t, int(cases(12))+12, 0)
	r := rand.New(rand.NewPCG(3, 1))
	lengths := []int{1, 15, 16, 99, 100, 4095, 4096, 8192, len(whole.db) - 1, len(whole.db) - 4096}
	for range cases(20) {
		lengths = append(lengths, r.IntN(len(whole.db)))
	}
	for _, length := range lengths {
		t.Run(fmt.Sprint("length=", length), func(t *testing.T) {
			p := whole
			p.db, p.log = whole.db[:length], nil
			p.judged(t, p.put(t), whole.readable(func(page int) bool { return (page+1)*pageSize <= length }))
		})
	}
}

func TestADamagedWALLosesOnlyTheDamagedFrames(t *testing.T) {
	whole := taken(t, int(cases(12))+12, 30)
	size := frameHeader + pageSize
	frames := (len(whole.log) - walHeader) / size
	for seed := range cases(40) {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 2))
			p := whole
			p.log = bytes.Clone(whole.log)
			at := walHeader + r.IntN(size*frames)
			if seed%5 == 0 {
				at = r.IntN(walHeader)
			}
			p.log[at] ^= 1 << r.IntN(8)
			bad := (at - walHeader) / size
			commits := 0 // behind the damage: the last ones cannot be told from those that a power cut left half written
			want := map[int64]bool{}
			for f := frames - 1; f >= 0; f-- {
				b := whole.log[walHeader+f*size:][:size]
				if bytes.Equal(b[8:16], whole.log[16:24]) && b[4]|b[5]|b[6]|b[7] != 0 && f > bad {
					commits++
				}
				if f == bad && at >= walHeader || commits < 3 && f > bad {
					continue
				}
				for position, r := range whole.records {
					if len(r.Body) < 1500 && bytes.Contains(b[frameHeader:], r.Body) {
						want[position] = true
					}
				}
			}
			p.judged(t, p.put(t), want)
		})
	}
}

func TestAMissingOrBrokenFileDoesNotPreventTheStart(t *testing.T) {
	whole := taken(t, 16, 20)
	for name, c := range map[string]struct {
		db, log []byte
		shm     bool
		events  int // at least
	}{
		"empty":                {db: []byte{}},
		"empty with a log":     {db: []byte{}, log: whole.log, events: 20},
		"only a log":           {log: whole.log, events: 20},
		"without its log":      {db: whole.db, shm: true, events: len(whole.records) - 20},
		"zeros":                {db: make([]byte, 1<<16)},
		"no log but its index": {db: []byte{}, shm: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := whole
			p.db, p.log = c.db, c.log
			path := p.put(t)
			if c.shm {
				if err := os.WriteFile(path+"-shm", make([]byte, 32768), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if got := p.judged(t, path, nil); got < c.events {
				t.Errorf("got %d events, want at least %d", got, c.events)
			}
			aside, err := filepath.Glob(path + asideSuffix + "*Z")
			if err != nil {
				t.Fatal(err)
			}
			if len(c.db) > 0 && c.log == nil && (len(aside) != 1 || !bytes.Equal(read(t, aside[0]), c.db)) {
				t.Errorf("got %v put aside, want the damaged file as it was", aside)
			}
		})
	}
}

func TestAForeignFileIsNotModified(t *testing.T) {
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := makeFile(path); err != nil {
		t.Fatal(err)
	}
	db, err := openDatabase(path, "busy_timeout(1000)", 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('mine')`); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	before := read(t, path)
	refused := func() {
		t.Helper()
		if _, err := Open(Options{Path: path}); !errors.Is(err, ErrForeign) {
			t.Errorf("got %v, want ErrForeign", err)
		}
		if !bytes.Equal(read(t, path), before) {
			t.Error("got another file, want it as it was")
		}
	}
	refused()
	before = before[:4096] // damaged, and not a journal
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	refused()
	before = []byte(strings.Repeat("Dear diary, today nobody called. ", 300))
	if err := os.WriteFile(path, before, 0o600); err != nil {
		t.Fatal(err)
	}
	refused()
	if left, err := filepath.Glob(path + "*"); err != nil || len(left) != 2 { // and the lock file
		t.Errorf("got %v %v, want nothing beside it", left, err)
	}
	directory := filepath.Join(t.TempDir(), "journal.db")
	if err := os.Mkdir(directory, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: directory}); err == nil || !strings.Contains(err.Error(), directory) {
		t.Errorf("got %v, want an error that names the directory", err)
	}
}

func TestAnInterruptedRepairIsRestarted(t *testing.T) {
	whole := taken(t, 8, 20)
	want := whole.readable(func(page int) bool { return page > 9 })
	for _, at := range []string{"carried", "rename", "aside-wal", "aside-journal", "aside", "replace"} {
		t.Run(at, func(t *testing.T) {
			p := whole
			p.db = bytes.Clone(whole.db)
			clear(p.db[:10*pageSize])
			path := p.put(t)
			killed := errors.New("killed")
			for range 2 { // as a supervisor does
				_, err := Open(Options{Path: path, Endpoints: []string{"crm", "log"}, MaxAge: -1, step: func(name string) error {
					if name == at {
						return killed
					}
					return nil
				}})
				if !errors.Is(err, killed) {
					t.Fatalf("got %v, want it killed", err)
				}
			}
			p.judged(t, path, want)
			left, err := filepath.Glob(path + "*")
			if err != nil || len(left) > 6 { // the journal with log, index and lock; the damaged one with its log
				t.Errorf("got %v %v, want nothing of the repairs left", left, err)
			}
		})
	}
}

func TestDamageDetectedInUseIsRepairedAtTheNextStart(t *testing.T) {
	var log bytes.Buffer
	s := opened(t, "crm")
	put(t, s, event("A", "1"), event("B", "1"))
	closed(t, s)
	b := read(t, s.options.Path)
	var root int
	db, err := openDatabase(s.options.Path, readerPragmas, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := db.QueryRow(`SELECT rootpage FROM sqlite_schema WHERE name = 'sqlite_autoindex_events_1'`).Scan(&root); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	copy(b[(root-1)*pageSize:], bytes.Repeat([]byte{0xaa}, 100))
	if err := os.WriteFile(s.options.Path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.options.Path + "-wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want no log after a clean end", err)
	}
	s, err = Open(Options{Path: s.options.Path, Endpoints: []string{"crm"}, MaxAge: -1, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Append(t.Context(), event("A", "2")); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v, want ErrDamaged", err)
	}
	if err := s.Health(); !errors.Is(err, ErrDamaged) || !strings.Contains(log.String(), "restart bridge") {
		t.Errorf("got health %v and log %s, want both to say so", err, &log)
	}
	s = reopened(t, s, "crm")
	if got := places(put(t, s, event("A", "2"))); !strings.HasPrefix(got[0], "A/2@") {
		t.Errorf("got %v, want A/2", got)
	}
}

func TestADamagedKeyAssignsNoEventToAnotherCall(t *testing.T) {
	s := opened(t, "crm")
	put(t, s, event("A", "1"), event("A", "2"), event("B", "1"))
	closed(t, s)
	db, err := openDatabase(s.options.Path, writerPragmas, 1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`DELETE FROM events WHERE position = 1; UPDATE events SET call = 2 WHERE position = 2`); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(db.Close(), os.WriteFile(s.options.Path+markSuffix, nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	s = openedAt(t, s.options.Path, "crm")
	for id, want := range map[string]string{"A": "A/2@2", "B": "B/1@3"} {
		if got, err := s.Events(t.Context(), id, 0, 9); err != nil || len(got) != 1 || places(got)[0] != want {
			t.Errorf("%s: got %v %v, want %s", id, places(got), err, want)
		}
	}
	if r := s.Stats().Salvage; r == nil || r.Calls != 2 || r.Events != 2 || r.Lost != 1 {
		t.Errorf("got %v, want 2 events of 2 calls, and one lost", r)
	}
	if s = reopened(t, s, "crm"); s.Stats().Salvage != nil || s.Health() != nil {
		t.Errorf("got %v, want no second repair", s.Stats().Salvage)
	}
}
