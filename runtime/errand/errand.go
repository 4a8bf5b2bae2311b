// Package errand runs a command of the service's for somebody who must not wait for it: in a child of our own, which may
// be killed at any instant. What can be stuck between fork and exec, on a file system that hangs or in a frozen cgroup, is
// stuck there, and never in a supervisor.
//
// Rules:
//   - The command runs as the service's account, in its environment, in a session of its own; what it leaves behind is
//     killed, and so is all of it when the time is over.
//   - Of what it says the last line is kept, 4 KiB of it at most, without control characters.
//   - The child stays in our session, by which the process host knows what is not a daemon's.
//
// The main program, and the test binary of whoever runs an errand, asks Running before all else. Tests: real commands, the
// test binary being the child.
package errand

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// name is the child's argv[0].
const name = "recipe-errand"

// grace is what the child is given besides the time of its command: to start, which took more than 300 ms on a busy host, to
// kill it, and to say so.
const grace = 2 * time.Second

// mostSaid bounds what is kept of a command's output, in bytes.
const mostSaid = 4096

// orders are what the child reads.
type orders struct {
	Spec    launch.Spec   `json:"spec"`
	Timeout plan.Duration `json:"timeout"`
}

// result is what it answers.
type result struct {
	Said   string `json:"said"`
	Reason string `json:"reason"` // empty for exit 0
}

// Run runs the command of the spec and returns its last line. The error is why it did not end with exit code 0 within the
// time; that of a ctx that was cancelled judges nothing.
func Run(ctx context.Context, spec *launch.Spec, within time.Duration) (said string, err error) {
	text, err := json.Marshal(orders{Spec: *spec, Timeout: plan.Duration(within.Milliseconds())})
	if err != nil {
		return "", fmt.Errorf("cannot write the orders of a command: %w", err)
	}
	patient, cancel := context.WithTimeout(context.WithoutCancel(ctx), within+grace)
	defer cancel()
	stop := context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) {
			cancel()
		}
	})
	defer stop()
	cmd := exec.CommandContext(patient, "/proc/self/exe")
	cmd.Args, cmd.Env, cmd.Dir = []string{name, spec.Service}, []string{}, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { launch.KillBelow(cmd.Process.Pid); return nil }
	cmd.WaitDelay = grace
	answer := &bounded{}
	cmd.Stdin, cmd.Stdout = bytes.NewReader(text), answer
	err = cmd.Run()
	var r result
	switch {
	case ctx.Err() != nil && !errors.Is(ctx.Err(), context.DeadlineExceeded):
		return "", ctx.Err()
	case patient.Err() != nil:
		return "", fmt.Errorf("%s did not end in time, and could not be ended by its own parent", spec.Argv[0])
	case err != nil:
		return "", fmt.Errorf("cannot run %s: its parent ended with %w", spec.Argv[0], err)
	case json.Unmarshal(answer.text, &r) != nil:
		return "", fmt.Errorf("cannot run %s: its parent did not say what came of it", spec.Argv[0])
	}
	return r.verdict()
}

func (r result) verdict() (said string, err error) {
	switch {
	case r.Reason != "" && r.Said != "":
		return r.Said, fmt.Errorf("%s: %s", r.Reason, r.Said)
	case r.Reason != "":
		return "", errors.New(r.Reason)
	}
	return r.Said, nil
}

// Ended is what Run says of a command that ended in time with that exit code and said that. Nothing is run.
func Ended(spec *launch.Spec, exit int, output []byte) (said string, err error) {
	r := result{Said: lastLine(output)}
	if exit != 0 {
		r.Reason = launch.OneLine(launch.Failed(spec.Argv[0], exit))
	}
	return r.verdict()
}

// bounded keeps what a result can be long, and takes the rest in silence.
type bounded struct{ text []byte }

func (b *bounded) Write(p []byte) (int, error) {
	b.text = append(b.text, p[:min(len(p), 8*mostSaid-len(b.text))]...)
	return len(p), nil
}
