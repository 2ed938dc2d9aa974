//go:build race

package media_test

// raceEnabled says that the race detector watches.
const raceEnabled = true
