//go:build !race

package aldea

// raceEnabled says that the race detector does not watch.
const raceEnabled = false
