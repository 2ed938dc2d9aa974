//go:build !race

package media_test

// raceEnabled says that the race detector does not watch.
const raceEnabled = false
