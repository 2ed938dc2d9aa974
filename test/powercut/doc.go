// Package powercut runs the journal on a disk that forgets.
//
// A disk keeps each file twice: as programs see it, and as it would be found after a power cut. What was written and
// not synced is only in the first. Cut decides what becomes of that: each sector of it may survive or not,
// in any order, as in a drive's cache. Names in a directory are forgotten too until the directory is synced.
//
// The journal runs in a child process, on a disk that is mounted with FUSE; the test kills it, cuts the power and
// checks the files. It is a module of its own because it needs FUSE, and the right to mount: root, and /dev/fuse.
package powercut
