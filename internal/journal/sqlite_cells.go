package journal

import (
	"encoding/binary"
	"math"
)

// A row is the decoded content of one cell. Values are nil, int64, float64, string or []byte. A cell of an index has
// no rowid.
type row struct {
	rowid  int64
	index  bool
	values []any
}

// The types of pages that contain rows.
const (
	pageIndexInterior = 0x02
	pageIndexLeaf     = 0x0a
	pageTableLeaf     = 0x0d
)

const (
	// maxPayload bounds a row, so that a damaged length does not use up memory. No event is longer.
	maxPayload = 64 << 20
	// maxColumns exceeds the number of columns of every table.
	maxColumns = 16
	// inTable and inIndex are the maximum number of bytes of a row in its own page, leastHere the minimum. The rest
	// is in overflow pages.
	inTable   = pageSize - 35
	inIndex   = (pageSize-12)*64/255 - 23
	leastHere = (pageSize-12)*32/255 - 23
)

// rows calls each with every readable row of page n, and returns the number of unreadable ones.
func (p *pageFile) rows(n uint32, page []byte, each func(row)) (bad int64) {
	head := 0
	if n == 1 {
		head = headerSize
	}
	kind, array := page[head], head+8
	switch kind {
	case pageIndexInterior:
		array += 4
	case pageIndexLeaf, pageTableLeaf:
	default:
		return 0
	}
	count := int(binary.BigEndian.Uint16(page[head+3:]))
	for i := range count {
		if array+2*i+2 > pageSize {
			return bad + int64(count-i)
		}
		at := int(binary.BigEndian.Uint16(page[array+2*i:]))
		if r, ok := p.cell(page, kind, at); ok {
			each(r)
		} else {
			bad++
		}
	}
	return bad
}

// cell reads the cell at an offset in a page.
func (p *pageFile) cell(page []byte, kind byte, at int) (r row, ok bool) {
	if at < 8 || at >= pageSize {
		return r, false
	}
	b := page[at:]
	if kind == pageIndexInterior {
		if len(b) < 4 {
			return r, false
		}
		b = b[4:]
	}
	length, n := varint(b)
	if n == 0 || length < 1 || length > maxPayload {
		return r, false
	}
	b = b[n:]
	most := inIndex
	if r.index = kind != pageTableLeaf; !r.index {
		most = inTable
		if r.rowid, n = varint(b); n == 0 {
			return r, false
		}
		b = b[n:]
	}
	payload, ok := p.payload(b, int(length), most)
	if !ok {
		return r, false
	}
	r.values, ok = values(payload)
	return r, ok
}

// payload returns the length bytes that begin at b and go on in a chain of overflow pages.
func (p *pageFile) payload(b []byte, length, most int) ([]byte, bool) {
	if length <= most {
		if length > len(b) {
			return nil, false
		}
		return b[:length], true
	}
	here := leastHere + (length-leastHere)%(pageSize-4)
	if here > most {
		here = leastHere
	}
	if here+4 > len(b) {
		return nil, false
	}
	whole := append([]byte{}, b[:here]...)
	for next := binary.BigEndian.Uint32(b[here:]); len(whole) < length; p.chained-- {
		page := p.read(next)
		if page == nil || p.chained <= 0 {
			return nil, false
		}
		next = binary.BigEndian.Uint32(page)
		whole = append(whole, page[4:min(pageSize, 4+length-len(whole))]...)
	}
	return whole, true
}

// values decodes a record.
func values(b []byte) (all []any, ok bool) {
	header, n := varint(b)
	if n == 0 || header < int64(n) || header > int64(len(b)) {
		return nil, false
	}
	types, b := b[n:header], b[header:]
	for len(types) > 0 {
		t, n := varint(types)
		if n == 0 || t < 0 || t == 10 || t == 11 || len(all) == maxColumns {
			return nil, false
		}
		types = types[n:]
		size := t / 2
		switch {
		case t < 10:
			size = int64([]int{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[t])
		default:
			size -= 6
		}
		if size > int64(len(b)) {
			return nil, false
		}
		all = append(all, value(t, b[:size]))
		b = b[size:]
	}
	return all, len(b) == 0
}

// value decodes one value of serial type t.
func value(t int64, b []byte) any {
	switch {
	case t == 0:
		return nil
	case t == 7:
		return math.Float64frombits(binary.BigEndian.Uint64(b))
	case t == 8 || t == 9:
		return t - 8
	case t < 7:
		n := int64(int8(b[0]))
		for _, c := range b[1:] {
			n = n<<8 | int64(c)
		}
		return n
	case t%2 == 0:
		return append([]byte{}, b...)
	}
	return string(b)
}

// varint decodes a number of one to nine bytes. n is 0 if b is too short.
func varint(b []byte) (v int64, n int) {
	for i, c := range b {
		if i == 8 {
			return v<<8 | int64(c), 9
		}
		v = v<<7 | int64(c&0x7f)
		if c < 0x80 {
			return v, i + 1
		}
	}
	return 0, 0
}
