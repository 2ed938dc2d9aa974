package call

import (
	"strconv"
	"testing"
)

func TestTheNumberOfStreamIDsIsBounded(t *testing.T) {
	const ids = 5*maxRecent + 7
	var r recentIDs
	for i := range ids {
		if r.add(strconv.Itoa(i)) {
			t.Fatalf("id %d was there before", i)
		}
		if n := len(r.young) + len(r.old); n > 2*maxRecent {
			t.Fatalf("%d ids are kept", n)
		}
	}
	if last := strconv.Itoa(ids - maxRecent); !r.add(last) {
		t.Errorf("id %s of the last %d is not known any more", last, maxRecent)
	}
}
