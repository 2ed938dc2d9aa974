//go:build race

package aldea

// raceEnabled says that the race detector watches.
const raceEnabled = true
