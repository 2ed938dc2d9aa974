package aldea

import "sync"

// A ring holds the latest samples of a source, one byte each, addressed by their number since the source
// began. Up to a limit it takes memory as it needs it, and gives it back when samples are discarded; beyond the
// limit, the oldest samples make room. The zero value is not usable: limit must be set. It is not safe for
// concurrent use.
type ring struct {
	limit      int
	start, end int64      // the samples [start, end) are held
	pieces     []*piece   // sample n lies in piece n/pieceSize - first
	first      int64      // the number of pieces that came before
	spare      *sync.Pool // of *piece, shared with others; nil makes new ones
}

// pieceSize is how many samples memory is taken for at once, an eighth of a second. Callers fall silent at
// different times: what one gives back another takes, so a call needs what lies behind its last final result on
// average, not what it does at most.
const pieceSize = 1024

// A piece is a stretch of a ring's samples.
type piece [pieceSize]byte

// append adds samples at the end.
func (r *ring) append(p []byte) {
	if len(p) > r.limit { // more than fits at all: only its tail can stay
		skip := int64(len(p) - r.limit)
		r.end += skip
		p = p[skip:]
		r.discard(r.end)
	}
	if over := r.len() + len(p) - r.limit; over > 0 {
		r.discard(r.start + int64(over))
	}
	for len(p) > 0 {
		n := copy(r.room(), p)
		r.end += int64(n)
		p = p[n:]
	}
}

// room is where the next samples belong, at least one.
func (r *ring) room() []byte {
	if len(r.pieces) == 0 {
		r.first = r.end / pieceSize
	}
	i := int(r.end/pieceSize - r.first)
	if i == len(r.pieces) {
		r.pieces = append(r.pieces, r.take())
	}
	return r.pieces[i][r.end%pieceSize:]
}

func (r *ring) take() *piece {
	if r.spare != nil {
		if p, ok := r.spare.Get().(*piece); ok {
			return p
		}
	}
	return new(piece)
}

// len is how many samples are held.
func (r *ring) len() int { return int(r.end - r.start) }

// read copies samples from number n on and returns how many. n must not lie before start.
func (r *ring) read(dst []byte, n int64) int {
	total := 0
	for total < len(dst) && n < r.end {
		p, at := r.pieces[n/pieceSize-r.first], n%pieceSize
		c := copy(dst[total:], p[at:min(pieceSize, at+r.end-n)])
		total += c
		n += int64(c)
	}
	return total
}

// discard gives up the samples before number n.
func (r *ring) discard(n int64) {
	r.start = max(r.start, min(n, r.end))
	r.free(min(len(r.pieces), int(r.start/pieceSize-r.first)))
}

// release gives up all samples and their memory.
func (r *ring) release() {
	r.start = r.end
	r.free(len(r.pieces))
	r.pieces = nil
}

// free gives back the first n pieces.
func (r *ring) free(n int) {
	if n <= 0 {
		return
	}
	for _, p := range r.pieces[:n] {
		if r.spare != nil {
			r.spare.Put(p)
		}
	}
	left := copy(r.pieces, r.pieces[n:])
	clear(r.pieces[left:])
	r.pieces = r.pieces[:left]
	r.first += int64(n)
}
