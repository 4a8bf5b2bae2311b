package control

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// signalName is a signal's name without SIG, of one that is written with or without it, in any case, or as a number.
func signalName(text string) (string, error) {
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if unix.SignalNum("SIG"+name) != 0 {
		return name, nil
	}
	if number, err := strconv.Atoi(text); err == nil {
		if name := strings.TrimPrefix(unix.SignalName(syscall.Signal(number)), "SIG"); name != "" {
			return name, nil
		}
	}
	return "", &Error{Code: BadRequest, Message: fmt.Sprintf("there is no signal %q", text),
		Hint: strings.TrimPrefix(plan.Nearest(name, Signals())+"; signals are called HUP, USR1, TERM and the like", "; ")}
}

// Signals are the names of those that a daemon can be sent, by number and without SIG.
func Signals() []string {
	var known []string
	for number := syscall.Signal(1); number < 32; number++ {
		if name := strings.TrimPrefix(unix.SignalName(number), "SIG"); name != "" {
			known = append(known, name)
		}
	}
	return known
}
