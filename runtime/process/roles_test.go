package process

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// roles are the daemons, and what they start.
func play(name string) int {
	name, argument, _ := strings.Cut(name, ":")
	switch name {
	case "serve":
		fmt.Println("pid", os.Getpid())
		return pause()
	case "exit":
		return 7
	case "crash":
		_ = unix.Kill(os.Getpid(), unix.SIGTERM)
		return pause()
	case "environment":
		fmt.Println(strings.Join(os.Environ(), " "))
		return pause()
	case "parent": // of a child that plays the argument, and lives on
		return spawnChild(argument, true, false)
	case "launcher": // like parent, but dies
		return spawnChild(argument, true, true)
	case "fork": // like launcher, in the same session
		return spawnChild(argument, false, true)
	case "stubborn": // ignores what can be ignored
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		fmt.Println("pid", os.Getpid())
		return pause()
	case "closed": // the same with nothing open but its stdout
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
		fmt.Println("pid", os.Getpid())
		_ = unix.Exec("/proc/self/exe", []string{"closed"}, withRole("silent"))
		return 1
	case "naked": // closed, and without the marker
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
		fmt.Println("pid", os.Getpid())
		_ = unix.Exec("/proc/self/exe", []string{"naked"}, []string{"PROCESS_TEST_ROLE=silent"})
		return 1
	case "become": // what is left of a launcher that does nothing but exec
		unix.CloseOnExec(3)
		_ = unix.Exec("/bin/sleep", []string{"sleep", "1000"}, nil)
		return 1
	case "only":
		return serveAlone(argument)
	case "silent":
		return pause()
	case "supervisor":
		return superviseOnce(argument)
	}
	fmt.Println("there is no role", name)
	return 1
}

// spawnChild forks in the way of daemons that go into the background: a session of its own, then another child.
func spawnChild(role string, session, leave bool) int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = withRole(role)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: session}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	if leave {
		return 0
	}
	return pause()
}

// withRole is our environment for a process that plays another role.
func withRole(role string) []string {
	others := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "PROCESS_TEST_ROLE=") })
	return append(others, "PROCESS_TEST_ROLE="+role)
}

// pause is for ever.
func pause() int {
	for {
		_ = unix.Pause()
	}
}

// serveAlone serves while it can be the only one. The kernel frees the name when the process dies, and no sooner.
func serveAlone(name string) int {
	listener, err := net.Listen("unix", "@"+name)
	if err != nil {
		fmt.Println("two of", name)
		return 1
	}
	defer listener.Close()
	fmt.Println("pid", os.Getpid())
	return pause()
}

// superviseOnce is a supervisor of services that all play one role, given as CONTAINMENT,DIR,ROLE,SERVICE,... It is
// there to be killed.
func superviseOnce(argument string) int {
	fields := strings.Split(argument, ",")
	h, err := NewHost(Options{RuntimeDir: fields[1], NoCgroup: fields[0] == "fallback"})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, service := range fields[3:] {
		if err := h.Claim(service); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	for _, service := range fields[3:] {
		if _, err := h.Clear(context.Background(), service, func(Leftover) {}, nil); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	for _, service := range fields[3:] {
		if err := keepRunning(h, service, fields[2]); err != nil {
			fmt.Println(err)
			return 1
		}
	}
	return pause()
}

// keepRunning starts the role, and if it is "again:ROLE", ends and starts it for ever, by a forker; if it is "spare:ROLE", by
// the spare launcher.
func keepRunning(h *Host, service, role string) error {
	role, again := strings.CutPrefix(role, "again:")
	role, spare := strings.CutPrefix(role, "spare:")
	if spare {
		byLauncher(h)
	}
	for {
		executed := make(chan Event, 3)
		i, err := h.Start(Order{
			Service: service, ID: randomID(), Spec: roleSpec(service, role), Output: os.Stdout,
			Notify: func(e Event) { executed <- e },
		})
		if err != nil || !again && !spare {
			return err
		}
		<-executed
		for ready := false; !ready; time.Sleep(time.Millisecond) {
			h.mu.Lock()
			ready = h.spare != nil || !spare
			h.mu.Unlock()
		}
		if _, err := i.End(context.Background(), nil); err != nil {
			return err
		}
	}
}
