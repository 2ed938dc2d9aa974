//go:build race

package journal

// underRace is true under the race detector, which makes SQLite about ten times slower.
const underRace = true
