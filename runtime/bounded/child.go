package bounded

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

// child is one process, used by one goroutine at a time.
type child struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     io.ReadCloser
	said    said
	limits  Limits
	served  int
	used    time.Duration // of the processor
	dead    bool
}

// start starts a child: this program, unless another is given. It is confined by the time that it takes its first request.
func start(limits Limits, program []string) (*child, error) {
	c := &child{command: exec.Command("/proc/self/exe"), limits: limits}
	c.command.Args = []string{ChildName}
	if len(program) > 0 {
		c.command = exec.Command(program[0], program[1:]...)
	}
	c.command.Dir = "/"
	// glibc would reserve 64 MiB of the address space for each thread that allocates.
	c.command.Env = []string{"GOTRACEBACK=none", "MALLOC_ARENA_MAX=1"}
	c.command.Stderr = &c.said
	// A group of its own, so that ctrl-C is for us and that one kill takes all of it.
	c.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if c.in, err = c.command.StdinPipe(); err != nil {
		return nil, err
	}
	if c.out, err = c.command.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := c.command.Start(); err != nil {
		return nil, fmt.Errorf("cannot start a process for it: %w", err)
	}
	terms, err := json.Marshal(limits)
	if err == nil {
		err = writeFrame(c.in, frameTerms, terms)
	}
	if err != nil {
		return nil, c.ended(err)
	}
	return c, nil
}

// do has one piece of work done. After an *Ended, or an end of ctx, there is no child any more.
func (c *child) do(ctx context.Context, kind string, request []byte, serve Ask) ([]byte, error) {
	timed, cancel := context.WithTimeout(ctx, c.limits.Wall)
	defer cancel()
	stop := context.AfterFunc(timed, c.kill)
	answer, fault, err := c.exchange(kind, request, serve)
	if !stop() && err == nil {
		err = io.ErrUnexpectedEOF // the clock was faster, and the kill is on its way
	}
	if err == nil {
		c.served++
		return answer, fault
	}
	ended := c.ended(err)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case timed.Err() != nil:
		ended.Why = Wall
	}
	return nil, ended
}

// exchange sends a request and answers what is asked until the answer comes. fault is the work's own error; err is that
// of a child which is gone or not to be used any more.
func (c *child) exchange(kind string, request []byte, serve Ask) (answer []byte, fault, err error) {
	if err := writeFrame(c.in, frameRequest, []byte(kind), []byte("\n"), request); err != nil {
		return nil, nil, err
	}
	for {
		what, data, err := readFrame(c.out, c.limits.Answer+4096)
		switch {
		case err != nil:
			return nil, nil, err
		case what == frameFault:
			return nil, errors.New(string(data)), nil
		case what == frameAnswer && len(data) >= 8:
			c.used = time.Duration(binary.BigEndian.Uint64(data))
			return data[8:], nil, nil
		case what == frameAsk && serve != nil:
			if err := c.reply(serve, data); err != nil {
				return nil, nil, err
			}
		default:
			return nil, nil, fmt.Errorf("it sent what nobody asked for (%q)", what)
		}
	}
}

func (c *child) reply(serve Ask, data []byte) error {
	name, question, _ := bytes.Cut(data, []byte("\n"))
	reply, err := serve(string(name), question)
	if err != nil {
		return writeFrame(c.in, frameFault, []byte(err.Error()))
	}
	return writeFrame(c.in, frameReply, reply)
}

// usable reports whether the child can take another piece of work.
func (c *child) usable() bool { return c.used < (lifeFactor-1)*c.limits.CPU }

// kill kills the group. Nobody has waited for the child yet, so that its pid is still its own.
func (c *child) kill() { syscall.Kill(-c.command.Process.Pid, syscall.SIGKILL) }

// close ends a child: one that is idle ends itself when its stdin does. Why it ended is in its state.
func (c *child) close() {
	c.dead = true
	c.in.Close()
	c.command.Wait() // its error is in the state too
}

// ended finds out why the child is no more, or must not be any more because of what it sent.
func (c *child) ended(cause error) *Ended {
	e := &Ended{Why: Crashed, Limits: c.limits}
	if errors.Is(cause, errTooLarge) {
		e.Why = Answer
	}
	if !errors.Is(cause, io.EOF) && !errors.Is(cause, io.ErrUnexpectedEOF) && !errors.Is(cause, syscall.EPIPE) {
		e.Detail = cause.Error()
		c.kill()
	}
	c.close()
	if e.Why == Answer {
		return e
	}
	text := c.said.text()
	status := c.command.ProcessState.Sys().(syscall.WaitStatus)
	code, signal := status.ExitStatus(), status.Signal()
	switch {
	case code == exitMemory, strings.Contains(text, "out of memory"), strings.Contains(text, "cannot allocate memory"),
		strings.Contains(text, "pthread_create failed") && c.peak() > c.limits.Memory/2: // no room for the stack of a thread
		e.Why = Memory
	case code == exitCPU, signal == syscall.SIGXCPU:
		e.Why = CPU
	case code == exitAnswer:
		e.Why = Answer
	case strings.Contains(text, "stack overflow"), strings.Contains(text, "stack exceeds"):
		e.Why = Depth
	case text != "":
		e.Detail, _, _ = strings.Cut(text, "\n")
	}
	return e
}

// peak is the most memory that a dead child ever had, in bytes.
func (c *child) peak() int64 {
	usage := c.command.ProcessState.SysUsage().(*syscall.Rusage)
	return int64(usage.Maxrss) << 10 // the kernel counts in KiB, and in fewer bits where there are 32
}

// said is the beginning of what a child writes on stderr: Go's runtime says there why it ends the process.
type said struct {
	mu   sync.Mutex
	data []byte
}

const mostSaid = 4096 // bytes

func (s *said) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.data = append(s.data, p[:min(len(p), mostSaid-len(s.data))]...)
	return len(p), nil
}

func (s *said) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r != '\n' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, string(s.data)))
}
