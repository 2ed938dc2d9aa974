// Package attack attacks a real bridge while a call of ten utterances runs on it.
//
// Each attack is one of docs/security.md's: connections that ask for nothing, bodies that are announced and never sent,
// bodies that unpack to gigabytes, streams that claim another's call, floods of keys and parameters, floods of lines of the log. The
// bridge is a process of its own, started under limits of open files and memory; the attacker, the carrier, the
// recognizer where it must fail, and the receiver of the events are in the test.
//
// During an attack all ten utterances must arrive at the receiver as they were spoken, resident memory must stay under 150 MB and the log
// under 4 MB; within a minute after it, descriptors and memory must be back to what they were before.
//
// The memory limit is RLIMIT_DATA (in a shell, ulimit -d): it bounds all private writable memory that the process may map, so it is
// stricter than a control group's limit of the same size, and it needs no privileges.
//
//	go test -v .                  # small attacks
//	go test -v . -attack.full     # full size: also `make attack`
package attack
