// Package handover lets a supervisor become its successor, the program that is installed by now, by exec: the process, its
// children and the descriptors that it hands on stay.
//
//	Paper    what is handed on, in a file in memory: who wrote it, and the supervisor's state as JSON (paper.go)
//	Prove    the successor, as a child, shows that it can read the state (prove.go)
//	Become   the exec; Take, the successor's side of it; Return, its way back (exec.go)
//
// Rules:
//   - A program that did not prove that it can read a state never gets it: it must read the state, write it again and come
//     to the same, within a bound of time and memory, in a process of its own.
//   - Only what is named is handed on. Every other descriptor is closed by the exec, and what is handed on is marked to be
//     closed again before the successor does anything else.
//   - The program that hands on is handed on as well: a successor that cannot go on becomes it again, with the same state,
//     once. One that crashes in its first milliseconds, though it proved itself just before, is lost, as is any supervisor
//     that crashes.
//   - A signal that comes in between must not end the process. What was heard before the exec is obeyed instead of it; from
//     then on HUP, INT and TERM are ignored. Go gives TERM back its meaning when its runtime starts: for the 2 ms that it takes
//     a program to set up its packages, until the successor listens, TERM ends it as it would any program. No mask helps: what
//     is blocked at the exec is pending, but a program of Go's unblocks TERM, INT and HUP before any of its code is run, and
//     before it has a handler (blockableSig in the runtime of Go 1.26; seen by strace). So listen first of all.
//
// A paper is known by its seals, by the process that it was written in and by that process's start, so that a variable in
// somebody's environment makes nobody a successor.
//
// Tests: the test binary hands itself on to itself, as a program that is sound, crashes, hangs, forgets or fills its memory.
package handover

import (
	"fmt"
	"syscall"
)

// Number is the descriptor of an open file or connection, which is left as it is: os.File.Fd may make it block.
func Number(file syscall.Conn) (int, error) {
	raw, err := file.SyscallConn()
	if err != nil {
		return -1, fmt.Errorf("cannot hand on a descriptor: %w", err)
	}
	number := -1
	if err := raw.Control(func(fd uintptr) { number = int(fd) }); err != nil {
		return -1, fmt.Errorf("cannot hand on a descriptor: %w", err)
	}
	return number, nil
}
