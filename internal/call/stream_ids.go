package call

import (
	"crypto/rand"
	"hash/maphash"
	"strings"
)

// maxRecent is the least number of stream ids that are kept to detect repeated ones. Up to twice as many are kept.
const maxRecent = 10_000

// idSeed is random, so that a peer cannot choose ids whose hashes collide.
var idSeed = maphash.MakeSeed()

// recentIDs has the hashes of the last streams' ids. The zero value is empty.
type recentIDs struct{ young, old map[uint64]struct{} }

// add adds an id and reports whether it was there already.
func (r *recentIDs) add(id string) (again bool) {
	sum := maphash.String(idSeed, id)
	_, young := r.young[sum]
	_, old := r.old[sum]
	if r.young == nil || len(r.young) == maxRecent {
		r.young, r.old = map[uint64]struct{}{}, r.young
	}
	r.young[sum] = struct{}{}
	return young || old
}

// newTag returns a random suffix that makes a repeated stream id unique.
func newTag() string { return strings.ToLower(rand.Text()[:10]) }

// hasUtterancesOf reports whether an utterance so far has an id of the given stream.
func (q *eventQueue) hasUtterancesOf(stream string) bool {
	for _, line := range q.transcript() {
		if strings.HasPrefix(line.Utterance, stream+"-") {
			return true
		}
	}
	return false
}
