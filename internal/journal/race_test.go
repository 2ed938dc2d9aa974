//go:build race

package journal

// underRace tells that the race detector is on: the same takes about ten times as long.
const underRace = true
