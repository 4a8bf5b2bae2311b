package launch

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

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
		return fmt.Errorf("%s cannot be run: %s", r.Argv[0], unfit(r.Argv[0], err))
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

// killBelow stops all of the tree before it kills any of it: a process that goes on could fork or die behind our back, and
// its children are somebody else's then. A killed process takes a while to die, and is waited for: a second for all of them.
func killBelow(pid int) {
	tree := halt(pid, nil)
	for _, pid := range tree {
		syscall.Kill(pid, syscall.SIGKILL)
	}
	late := time.Now().Add(time.Second)
	for _, pid := range tree {
		for !strings.Contains("ZX", stateOf(pid)) && time.Now().Before(late) {
			time.Sleep(time.Millisecond)
		}
	}
}

// halt adds the tree of pid to those that are stopped. It lists until there is nobody new: who died in between has left
// his children to one that is stopped.
func halt(pid int, stopped []int) []int {
	syscall.Kill(pid, syscall.SIGSTOP)
	for range 1000 { // a fork that is under way is done with first; a disk that hangs is not waited for
		if !goesOn(pid) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	stopped = append(stopped, pid)
	for more := true; more; {
		more = false
		for _, child := range childrenOf(strconv.Itoa(pid)) {
			if !slices.Contains(stopped, child) {
				stopped, more = halt(child, stopped), true
			}
		}
	}
	return stopped
}

// goesOn reports whether a process has not stopped yet.
func goesOn(pid int) bool { return !strings.Contains("TtZX", stateOf(pid)) }

// stateOf is a process's letter for its state, "" when it is gone.
func stateOf(pid int) string {
	stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat") // PID (NAME) STATE ...
	_, state, _ := bytes.Cut(stat[bytes.LastIndexByte(stat, ')')+1:], []byte(" "))
	return string(state[:min(len(state), 1)])
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
