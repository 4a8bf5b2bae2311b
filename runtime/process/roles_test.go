package process

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

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
	case "status":
		return printSignals()
	case "environment":
		fmt.Println(strings.Join(os.Environ(), " "))
		return pause()
	case "parent": // of a child that plays the argument, and lives on
		return spawnChild(argument, false)
	case "launcher": // like parent, but dies
		return spawnChild(argument, true)
	case "stubborn": // ignores what can be ignored
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		fmt.Println("pid", os.Getpid())
		return pause()
	case "closed": // the same with nothing open but its stdout
		signal.Ignore(syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT)
		_ = unix.CloseRange(3, ^uint(0), unix.CLOSE_RANGE_CLOEXEC)
		fmt.Println("pid", os.Getpid())
		_ = unix.Exec("/proc/self/exe", []string{"closed"}, append(os.Environ(), "PROCESS_TEST_ROLE=silent"))
		return 1
	case "silent":
		return pause()
	case "supervisor":
		return superviseOnce(argument)
	}
	fmt.Println("there is no role", name)
	return 1
}

// spawnChild forks in the way of daemons that go into the background: a session of its own, then another child.
func spawnChild(role string, leave bool) int {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), "PROCESS_TEST_ROLE="+role)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		fmt.Println(err)
		return 1
	}
	if leave {
		return 0
	}
	return pause()
}

// pause is for ever.
func pause() int {
	for {
		_ = unix.Pause()
	}
}

func printSignals() int {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 1
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "SigBlk") || strings.HasPrefix(line, "SigIgn") {
			fmt.Print(line)
		}
	}
	return 0
}

func superviseOnce(string) int { return 1 }
