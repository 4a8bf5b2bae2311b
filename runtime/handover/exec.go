package handover

import (
	"errors"
	"fmt"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// variable holds, in the environment of a successor, the descriptors of the paper and of the program that wrote it, and
// behind them, where that is who is run, why its successor did not go on.
const variable = "RECIPE_HANDOVER"

// Taken is what a process was handed by its predecessor.
type Taken struct {
	Paper
	Returned string // why the successor of this program did not go on: this is the one that wrote the paper

	memory      int  // the paper's descriptor
	predecessor int  // the program's that wrote it
	collect     int  // the garbage collector's percentage
	unread      bool // what was handed on is not known, and still passes through an exec
}

// Become executes the program, most likely p.Executable, with the paper. hold is called right before: from then on the signals that ask this process to
// end are to be ignored; it reports whether one has come, and then nothing is executed. Become returns on error alone.
func Become(p *Paper, program string, hold func() (asked bool)) error {
	predecessor, err := unix.Open("/proc/self/exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("cannot keep this program at hand: %w", err)
	}
	defer unix.Close(predecessor)
	memory, err := p.write()
	if err != nil {
		return err
	}
	defer memory.Close()
	number, err := Number(memory)
	if err != nil {
		return err
	}
	t := &Taken{Paper: *p, memory: number, predecessor: predecessor}
	if err := t.exec(program, "", hold); err != nil {
		return fmt.Errorf("cannot become %s: %w", program, plain(err))
	}
	return nil
}

// Return becomes the predecessor again, with what it handed on, since this program cannot go on. Nothing that was handed on
// may have been closed. It returns on error alone, and where this is the predecessor already. hold is as in Become.
func (t *Taken) Return(why error, hold func() (asked bool)) error {
	if t.Returned != "" {
		return errors.New("there is no program to go back to")
	}
	if t.unread {
		t.Arguments = os.Args
	}
	reason := strings.Join(strings.Fields(why.Error()), " ")
	return t.exec("/proc/self/fd/"+strconv.Itoa(t.predecessor), reason[:min(len(reason), 1000)], hold)
}

// ErrAsked is wrapped by what Become returns where hold reported that the process is to end.
var ErrAsked = errors.New("this supervisor is to end")

func (t *Taken) exec(program, returned string, hold func() bool) error {
	if err := t.handOn(); err != nil {
		return err
	}
	if hold() {
		return ErrAsked
	}
	value := fmt.Sprintf("%s=%d %d %s", variable, t.memory, t.predecessor, returned)
	environment := append(without(os.Environ()), value)
	for tries := 0; ; tries++ {
		err := syscall.Exec(program, t.Arguments, environment)
		if err != unix.ETXTBSY || tries == 50 {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func without(environment []string) []string {
	return slices.DeleteFunc(environment, func(v string) bool { return strings.HasPrefix(v, variable+"=") })
}

// handOn lets through the exec what is named, and nothing else.
func (t *Taken) handOn() error {
	if t.unread {
		return nil
	}
	if err := closeOthers(); err != nil {
		return err
	}
	for _, fd := range append([]int{t.memory, t.predecessor}, t.Descriptors...) {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("cannot hand on descriptor %d: %w", fd, err)
		}
	}
	return nil
}

// closeOthers marks every descriptor from 3 on to be closed by an exec.
func closeOthers() error {
	err := unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
	if err == nil {
		return nil
	}
	entries, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	for _, e := range entries {
		if fd, _ := strconv.Atoi(e.Name()); fd >= 3 {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// Take returns what this process was handed, and nil where it is nobody's successor. It must be called before descriptors
// are opened or processes started. With an error there is a *Taken as well where there is a predecessor to Return to. Until
// Settle no memory is collected: an os.File that a failure leaves behind would close what was handed on.
func Take() (*Taken, error) {
	value, ok := os.LookupEnv(variable)
	if !ok {
		return nil, nil
	}
	os.Unsetenv(variable)
	t := &Taken{}
	words := strings.SplitN(value, " ", 3)
	if len(words) != 3 {
		return nil, nil
	}
	var errs [2]error
	t.memory, errs[0] = strconv.Atoi(words[0])
	t.predecessor, errs[1] = strconv.Atoi(words[1])
	t.Returned = words[2]
	if errors.Join(errs[:]...) != nil || t.memory < 3 || t.predecessor < 3 {
		return nil, nil
	}
	if !sealed(t.memory) {
		return nil, nil
	}
	t.collect = debug.SetGCPercent(-1)
	paper, err := read(t.memory)
	if err != nil {
		t.unread = true
		return t, fmt.Errorf("cannot read what the predecessor handed on: %w", err)
	}
	if paper.PID != os.Getpid() || paper.Began != began() {
		debug.SetGCPercent(t.collect)
		return nil, nil // the variable is another process's
	}
	t.Paper = *paper
	if err := closeOthers(); err != nil {
		return t, fmt.Errorf("cannot mark what was handed on: %w", err)
	}
	for _, fd := range t.Descriptors {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			return t, fmt.Errorf("descriptor %d was not handed on: %w", fd, err)
		}
	}
	return t, nil
}

// Settle is called when the successor goes on, and there is no way back.
func (t *Taken) Settle() {
	unix.Close(t.memory)
	unix.Close(t.predecessor)
	t.State = nil
	debug.SetGCPercent(t.collect)
}
