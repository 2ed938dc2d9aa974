package aldea

// A ring holds the latest samples of a source, one byte each, addressed by their number since the source
// began. It grows as needed up to a limit; beyond it, the oldest samples make room. The zero value is not
// usable: limit must be set. It is not safe for concurrent use.
type ring struct {
	limit      int
	buf        []byte
	start, end int64 // the samples [start, end) are held; sample n lies at n modulo len(buf)
	busy       int64 // the end when more was held than a ring of ringKeep has room for
}

// ringMin is the first size taken: about a second, which lasts as long as the recogniser answers promptly.
const ringMin = 8192

const (
	// ringStep is what sizes are multiples of, a power of two.
	ringStep = 4096
	// ringKeep is the size that a ring may keep: the longest stretch between two finals of continuous speech,
	// and the end of a silence, fit.
	ringKeep = 8 * 8000
	// ringCalm is for how many samples a smaller ring must have been enough until it becomes smaller.
	ringCalm = 10 * 8000
)

// append adds samples at the end. It allocates only when the ring must grow.
func (r *ring) append(p []byte) {
	if len(p) == 0 {
		return // an empty ring has no room to point to
	}
	if len(p) > r.limit { // more than fits at all: only its tail can stay
		r.end += int64(len(p) - r.limit)
		p = p[len(p)-r.limit:]
		r.start = r.end
	}
	if need := r.len() + len(p); need > len(r.buf) {
		r.grow(need)
	}
	if over := r.len() + len(p) - len(r.buf); over > 0 {
		r.start += int64(over)
	}
	at := r.index(r.end)
	n := copy(r.buf[at:], p)
	copy(r.buf, p[n:])
	r.end += int64(len(p))
}

// len is how many samples are held.
func (r *ring) len() int { return int(r.end - r.start) }

func (r *ring) index(n int64) int { return int(n % int64(len(r.buf))) }

// grow makes room for need samples, or as many as the limit allows. A ring that is small grows little by little:
// it will soon be as large as the recogniser's pace needs, and stays that for the rest of the call.
func (r *ring) grow(need int) {
	size := max(need+need/8, ringMin)
	size += -size & (ringStep - 1)
	if len(r.buf) >= ringKeep {
		size = max(size, 2*len(r.buf)) // a backlog
	}
	if size = min(size, r.limit); size != len(r.buf) {
		r.resize(size)
	}
}

// trim gives memory back that only a backlog needed.
func (r *ring) trim() {
	if len(r.buf) <= ringKeep || r.len() > ringKeep*3/4 {
		r.busy = r.end
	}
	if r.end-r.busy >= ringCalm {
		r.resize(ringKeep)
	}
}

func (r *ring) resize(size int) {
	old := *r
	r.buf = make([]byte, size)
	for n := old.start; n < old.end; {
		run := old.run(n)
		r.put(n, run)
		n += int64(len(run))
	}
}

// put stores samples at their place without moving the end.
func (r *ring) put(at int64, p []byte) {
	n := copy(r.buf[r.index(at):], p)
	copy(r.buf, p[n:])
}

// run is the longest stretch from sample n on that lies in one piece.
func (r *ring) run(n int64) []byte {
	i := r.index(n)
	return r.buf[i:min(len(r.buf), i+int(r.end-n))]
}

// read copies samples from number n on and returns how many. n must not lie before start.
func (r *ring) read(dst []byte, n int64) int {
	total := 0
	for total < len(dst) && n < r.end {
		c := copy(dst[total:], r.run(n))
		total += c
		n += int64(c)
	}
	return total
}

// discard gives up the samples before number n.
func (r *ring) discard(n int64) {
	r.start = max(r.start, min(n, r.end))
}
