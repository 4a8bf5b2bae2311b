// Package bounded does work on text that is not ours in a child process: this program itself, started again. Whatever the
// text makes of it, the child dies alone, and the one piece of work that killed it is told why.
//
//	bounded.go   limits, and how work can end
//	frame.go     what goes over the pipes
//	runner.go    the parent: a few children, each of which does one piece of work after another
//	child.go     one of them
//	serve.go     the child's life; confine.go what it gives up first; watch.go what ends it
//	typed.go     requests and answers as Go values
//
// Rules:
//   - The child gives up everything before it reads a byte of a request: root, its environment, core dumps, and the
//     opening of files and sockets of any kind. What it needs it asks its parent for, by name, while it works (Ask), and
//     the parent alone decides what is answered.
//   - Memory, processor time, wall time and the size of the answer are bounded for each piece of work. The child watches
//     its own memory and time, since it can say which was too much; the kernel (RLIMIT_AS, RLIMIT_CPU) and the
//     parent's clock, which kills its process group, are the nets below.
//   - Work that killed a child which had done other work before is tried once more in a fresh one, so that no work is
//     blamed for what another left behind.
//   - A kind of work is one entry of the table that Serve is given. A program that makes a Runner calls IsChild, and Serve,
//     before anything else: a test binary, in its TestMain.
//
// The package knows neither recipes nor plans. Tests: work of every bad kind, in real children.
package bounded

import (
	"fmt"
	"time"
)

// Limits are those of one piece of work. All must be set.
type Limits struct {
	Memory int64         // bytes that the Go runtime of the child holds
	CPU    time.Duration // of the processor, over all threads
	Wall   time.Duration // by the parent's clock
	Answer int           // bytes of the answer, and of each thing that is asked on the way
}

// Why tells what ended a child.
type Why string

// What ends a child before its answer.
const (
	Memory  Why = "memory"
	CPU     Why = "cpu"
	Wall    Why = "wall"
	Depth   Why = "depth"  // of calls: its stack
	Answer  Why = "answer" // larger than allowed
	Crashed Why = "crashed"
)

// Ended is the error of work whose child died of it. Detail is one line of what the child said last, for Crashed.
type Ended struct {
	Why    Why
	Limits Limits
	Detail string
}

// Error says what was too much, as the rest of a sentence that begins with the work: "it needs more than ...".
func (e *Ended) Error() string {
	switch e.Why {
	case Memory:
		return fmt.Sprintf("it needs more than %d MiB of memory", e.Limits.Memory>>20)
	case CPU:
		return fmt.Sprintf("it needs more than %s of the processor", e.Limits.CPU)
	case Wall:
		return fmt.Sprintf("it took longer than %s", e.Limits.Wall)
	case Depth:
		return "it nests deeper than the stack allows"
	case Answer:
		return fmt.Sprintf("its answer is larger than %d MiB", e.Limits.Answer>>20)
	}
	if e.Detail == "" {
		return "its process was killed"
	}
	return "its process died: " + e.Detail
}
