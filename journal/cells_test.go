package journal

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// crafted is a page full of cells that all claim to be of 60 MB and go on at another page.
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

func TestACraftedFileCostsNoMoreThanItsSize(t *testing.T) {
	var file []byte
	for range 63 {
		file = append(file, crafted(64)...)
	}
	file = append(file, make([]byte, pageSize)...)
	binary.BigEndian.PutUint32(file[63*pageSize:], 64) // goes on at itself
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

// Whatever is in the files, Open ends: with a journal that works, or with a refusal that leaves them alone.
func FuzzOpen(f *testing.F) {
	whole := taken(f, 4, 4)
	flipped := bytes.Clone(whole.log)
	flipped[len(flipped)/2] ^= 1
	f.Add(whole.db, whole.log)
	f.Add(whole.db, flipped)
	f.Add(whole.db[:len(whole.db)/2], flipped)
	f.Add(bytes.Repeat(crafted(2), 3), []byte{})
	f.Add([]byte(magic), whole.log[:40])
	f.Fuzz(func(t *testing.T, db, log []byte) {
		path := picture{db: db, log: log}.put(t)
		s, err := Open(Options{Path: path, Endpoints: []string{"crm"}, MaxAge: -1})
		if err != nil {
			if got := read(t, path); !bytes.Equal(got, db) {
				t.Errorf("got a file that was changed by an Open that said %v", err)
			}
			return
		}
		defer closed(t, s)
		if _, err := s.Append(t.Context(), event("A", "1")); err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("got %v, want an event that is taken, or damage", err)
		}
	})
}
