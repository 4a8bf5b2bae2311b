package launch

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// Run is a command that has to succeed in time.
type Run struct {
	Argv    []string      `json:"argv"`
	Timeout plan.Duration `json:"timeout"`
}

// prepare runs the command as the account in a session of its own. Whatever it leaves behind is killed: a daemon must
// not start with children that it never made.
func (r *Run) prepare(ctx context.Context, id *identity, env []string, umask int) error {
	return r.run(ctx, id, env, umask, os.Stdout, os.Stderr)
}

func (r *Run) run(ctx context.Context, id *identity, env []string, umask int, stdout, stderr *os.File) error {
	if err := id.runnable(r.Argv[0]); err != nil {
		return err
	}
	timed, cancel := context.WithTimeout(ctx, r.Timeout.Std())
	defer cancel()
	adoptOrphans(1)
	defer adoptOrphans(0)
	before := children()

	cmd := exec.Command(r.Argv[0], r.Argv[1:]...)
	cmd.Env, cmd.Dir = env, "/"
	cmd.Stdout, cmd.Stderr = stdout, stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if id != nil {
		cmd.SysProcAttr.Credential = id.credential()
	}
	syscall.Umask(umask)
	err := cmd.Start()
	syscall.Umask(ordinary)
	if err != nil {
		return fmt.Errorf("%s cannot be run: %s", r.Argv[0], reason(err))
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err = <-ended:
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		killTree(before)
	case <-timed.Done():
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		killTree(before, cmd.Process.Pid)
		<-ended
		killTree(before)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%s did not end within %s", r.Argv[0], r.Timeout)
	}
	if err != nil {
		return Failed(r.Argv[0], shellCode(cmd.ProcessState))
	}
	return nil
}

// Failed is the error of a program that ended with another exit code than 0.
func Failed(program string, exit int) error {
	return fmt.Errorf("%s failed with exit code %d", program, exit)
}

func (id *identity) credential() *syscall.Credential {
	c := &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid)}
	for _, g := range id.groups {
		c.Groups = append(c.Groups, uint32(g))
	}
	return c
}

// shellCode is the exit code as a shell counts it: 128 and the number of the signal that killed.
func shellCode(state *os.ProcessState) int {
	if status, ok := state.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		return 128 + int(status.Signal())
	}
	return state.ExitCode()
}

// adoptOrphans makes us the parent of descendants whose own has died, or no longer. exec would keep the setting.
func adoptOrphans(on uintptr) { unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, on, 0, 0, 0) }

// killTree kills every child that was not there before, with its descendants, and reaps those that nobody else waits
// for. It goes round until none is left, since a process that dies hands us its children, and one that is about to die
// may fork once more. waited are pids that another goroutine reaps.
func killTree(before []int, waited ...int) {
	for {
		left := 0
		for _, pid := range children() {
			if slices.Contains(before, pid) {
				continue
			}
			killBelow(pid)
			if slices.Contains(waited, pid) {
				continue
			}
			left++
			syscall.Wait4(pid, nil, 0, nil)
		}
		if left == 0 {
			return
		}
	}
}

// killBelow lists the children first: those of a process that is gone are somebody else's.
func killBelow(pid int) {
	below := childrenOf(strconv.Itoa(pid))
	syscall.Kill(pid, syscall.SIGKILL)
	for _, child := range below {
		killBelow(child)
	}
}

func children() []int { return childrenOf("self") }

// childrenOf reads a list that kernels keep under CONFIG_PROC_CHILDREN. Without it only the session is killed.
func childrenOf(process string) []int {
	threads, _ := os.ReadDir("/proc/" + process + "/task")
	var pids []int
	for _, thread := range threads {
		data, _ := os.ReadFile("/proc/" + process + "/task/" + thread.Name() + "/children")
		for _, word := range strings.Fields(string(data)) {
			if pid, err := strconv.Atoi(word); err == nil {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
