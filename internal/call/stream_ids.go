package call

import (
	"crypto/rand"
	"hash/maphash"
	"strings"
)

// maxRecent is how many ids of streams are kept at least to tell which comes again; twice as many at most.
const maxRecent = 10_000

// idSeed is for sums of ids, which no peer can make collide.
var idSeed = maphash.MakeSeed()

// recent are the ids of the last streams, as sums. The zero value has none.
type recent struct{ young, old map[uint64]struct{} }

// add adds an id and tells whether it was there already.
func (r *recent) add(id string) (again bool) {
	sum := maphash.String(idSeed, id)
	_, young := r.young[sum]
	_, old := r.old[sum]
	if r.young == nil || len(r.young) == maxRecent {
		r.young, r.old = map[uint64]struct{}{}, r.young
	}
	r.young[sum] = struct{}{}
	return young || old
}

// newTag returns a word that is not used again.
func newTag() string { return strings.ToLower(rand.Text()[:10]) }

// saidOn tells whether an utterance so far has an id that begins as those of this stream do.
func (q *queue) saidOn(stream string) bool {
	for _, line := range q.said() {
		if strings.HasPrefix(line.Utterance, stream+"-") {
			return true
		}
	}
	return false
}
