package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
)

// crafted returns a page full of cells that claim a size of 60 MB and continue on page next.
func crafted(next uint32) []byte {
	page := make([]byte, pageSize)
	page[0] = pageTableLeaf
	const cells, at = 800, 3000
	binary.BigEndian.PutUint16(page[3:], cells)
	for i := range cells {
		binary.BigEndian.PutUint16(page[8+2*i:], at)
	}
	const here, length = leastHere + 3, leastHere + 3 + 15000*(pageSize-4)
	head := []byte{length>>21&0x7f | 0x80, length>>14&0x7f | 0x80, length>>7&0x7f | 0x80, length & 0x7f, 1} // and the rowid
	binary.BigEndian.PutUint32(page[at+copy(page[at:], head)+here:], next)
	return page
}

func TestACraftedFileReadsNoMoreThanItsSize(t *testing.T) {
	var file []byte
	for range 63 {
		file = append(file, crafted(64)...)
	}
	file = append(file, make([]byte, pageSize)...)
	binary.BigEndian.PutUint32(file[63*pageSize:], 64) // continues on itself
	path := filepath.Join(t.TempDir(), "journal.db")
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := openPages(path)
	if err != nil {
		t.Fatal(err)
	}
	for n := uint32(1); n <= p.inFile(); n++ {
		p.rows(n, p.read(n), func(row) { t.Error("got a row of a page that has none") })
	}
	if p.chained != 0 {
		t.Errorf("got %d pages left to read, want all used, and no more", p.chained)
	}
	if err := p.close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Path: path}); !errors.Is(err, ErrForeign) {
		t.Errorf("got %v, want ErrForeign", err)
	}
}

// Whatever the content of the files, Open returns: a journal that works, or an error, and then the files are unchanged.
func TestOpenSurvivesGarbage(t *testing.T) {
	whole := taken(t, 4, 4)
	r := rand.New(rand.NewPCG(11, 11))
	for range cases(60) {
		db, log := garbled(r, whole.db), garbled(r, whole.log)
		path := picture{db: db, log: log}.put(t)
		s, err := Open(Options{Path: path, Endpoints: []string{"crm"}, MaxAge: -1})
		if err != nil {
			if got := read(t, path); !errors.Is(err, ErrForeign) && !errors.Is(err, ErrNewer) || !bytes.Equal(got, db) {
				t.Errorf("got %v and a file that changed: %v; want a refusal that changes nothing", err, !bytes.Equal(got, db))
			}
			continue
		}
		if _, err := s.Append(t.Context(), event("new", "1")); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want an event that is taken, or damage", err)
		}
		closed(t, s)
	}
}

// garbled returns b with random bytes in some places, or truncated, or only random bytes.
func garbled(r *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	nonsense := func(part []byte) {
		for i := range part {
			part[i] = byte(r.Uint32())
		}
	}
	switch r.IntN(8) {
	case 0:
		nonsense(b)
	case 1:
		b = b[:r.IntN(len(b))]
	default:
		for range r.IntN(20) {
			at := r.IntN(len(b))
			nonsense(b[at:min(len(b), at+1+r.IntN(64))])
		}
	}
	return b
}

func FuzzCell(f *testing.F) {
	f.Add([]byte{14, 1, 4, 0, 1, 15, 1, 5, 'a'})                       // a row of null, 5, "a"
	f.Add([]byte{6, 3, 23, 1, 'c', 'r', 'm', 7})                       // of an index
	f.Add(append([]byte{0x9c, 0xce, 0x9c, 0, 1}, make([]byte, 60)...)) // one that is long
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, kind := range []byte{pageTableLeaf, pageIndexLeaf, pageIndexInterior} {
			page := make([]byte, pageSize)
			at := max(16, pageSize-len(b))
			copy(page[at:], b)
			page[0] = kind
			binary.BigEndian.PutUint16(page[3:], 1)
			binary.BigEndian.PutUint16(page[8:], uint16(at))
			binary.BigEndian.PutUint16(page[12:], uint16(at))
			bad := (&pageFile{}).rows(2, page, func(r row) {
				if len(r.values) > maxColumns {
					t.Errorf("got a row of %d values", len(r.values))
				}
				shape(r)
			})
			if bad > 1 {
				t.Errorf("got %d bad rows of one", bad)
			}
		}
	})
}
