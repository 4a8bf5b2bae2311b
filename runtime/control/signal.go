package control

import (
	"fmt"
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
	var known []string
	for number := syscall.Signal(1); number < 32; number++ {
		if name := strings.TrimPrefix(unix.SignalName(number), "SIG"); name != "" {
			if fmt.Sprint(int(number)) == text {
				return name, nil
			}
			known = append(known, name)
		}
	}
	return "", &Error{Code: BadRequest, Message: fmt.Sprintf("there is no signal %q", text),
		Hint: strings.TrimSuffix(plan.Nearest(name, known)+"; signals are called HUP, USR1, TERM and the like", "; ")}
}
