package handover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// proverName is the argv[0] of a program that is to prove that it can read a state.
const proverName = "recipe-prove"

// Bounds of a proof. The address space of a Go program says nothing; its data does.
const (
	proofTime   = 4 * time.Second
	proofMemory = 1 << 30 // bytes
	proofWords  = 4 << 10 // bytes of what it may say
)

// proof is what a prover says, on its stdout.
type proof struct {
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"` // of the state as it would write it
	Fault   string `json:"fault,omitempty"`  // why it cannot read the state
}

// Prove has the program at p.Executable read the paper, and returns its version once it has shown that it can. The error
// says why it cannot, in words for people.
func Prove(ctx context.Context, p *Paper) (version string, err error) {
	file, err := p.write()
	if err != nil {
		return "", err
	}
	defer file.Close()
	want, err := digest(p.State)
	if err != nil {
		return "", fmt.Errorf("cannot write the state down: %w", err)
	}
	said, err := prove(ctx, p.Executable, file)
	switch {
	case err != nil:
		return "", fmt.Errorf("%s cannot take over: %w", p.Executable, err)
	case said.Fault != "":
		return said.Version, fmt.Errorf("%s (%s) cannot take over: it cannot read the state: %s", p.Executable, said.Version, said.Fault)
	case said.Digest != want:
		return said.Version, fmt.Errorf("%s (%s) cannot take over: it reads the state as another", p.Executable, said.Version)
	}
	return said.Version, nil
}

func prove(ctx context.Context, executable string, paper *os.File) (said proof, err error) {
	ctx, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	var answer, complaint words
	c := exec.CommandContext(ctx, executable)
	c.Args = []string{proverName}
	c.Dir, c.Env = "/", []string{"GOTRACEBACK=none"}
	c.Stdout, c.Stderr, c.ExtraFiles = &answer, &complaint, []*os.File{paper}
	c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	c.Cancel = func() error { return unix.Kill(-c.Process.Pid, unix.SIGKILL) }
	c.WaitDelay = time.Second
	if err := start(c); err != nil {
		return said, advised(err)
	}
	_ = unix.Prlimit(c.Process.Pid, unix.RLIMIT_DATA, &unix.Rlimit{Cur: proofMemory, Max: proofMemory}, nil)
	err = c.Wait()
	_ = unix.Kill(-c.Process.Pid, unix.SIGKILL) // what it may have started
	switch {
	case ctx.Err() == context.DeadlineExceeded:
		return said, fmt.Errorf("it did not show within %s that it can read the state", proofTime)
	case ctx.Err() != nil:
		return said, ctx.Err()
	case err != nil:
		return said, fmt.Errorf("it did not show that it can read the state: %w%s%s", err, complaint.lastLine(), ifScript(executable))
	case json.Unmarshal(answer.Bytes(), &said) != nil || said == proof{}:
		return said, fmt.Errorf("it does not know how to take over: it is another program than recipe, or an older one%s", ifScript(executable))
	}
	return said, nil
}

// start tries again for half a second while the program is open for writing: it is just being installed.
func start(c *exec.Cmd) error {
	for tries := 0; ; tries++ {
		err := c.Start()
		if err == nil || !errors.Is(err, unix.ETXTBSY) || tries == 50 {
			return plain(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// advised tells whoever reads at night what is to be done about a program that cannot be started.
func advised(err error) error {
	switch {
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%w: nothing is installed there, or not the loader that it needs; install recipe there and ask again", err)
	case errors.Is(err, unix.EACCES):
		return fmt.Errorf("%w: it may not be executed; chmod +x it, unless its file system is mounted noexec, and ask again", err)
	case errors.Is(err, unix.ENOEXEC):
		return fmt.Errorf("%w: it is no program, or one of another machine; install that of this machine and ask again", err)
	}
	return err
}

// ifScript tells that a program is one. A script that runs recipe fails, since it does not pass on its own name.
func ifScript(executable string) string {
	file, err := os.Open(executable)
	if err != nil {
		return ""
	}
	defer file.Close()
	var start [2]byte
	if n, _ := file.Read(start[:]); n < 2 || string(start[:]) != "#!" {
		return ""
	}
	return "; it is a script: install the program itself there, and ask again"
}

// plain is an error without the path, which the reader has been told.
func plain(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// words keeps the start of what a program says.
type words struct{ bytes.Buffer }

func (w *words) Write(p []byte) (int, error) {
	w.Buffer.Write(p[:min(len(p), proofWords-w.Len())])
	return len(p), nil
}

func (w *words) lastLine() string {
	line := strings.TrimSpace(w.String())
	line = line[strings.LastIndexByte(line, '\n')+1:]
	if line == "" {
		return ""
	}
	return fmt.Sprintf(" (%q)", line)
}

// Proving tells from the arguments whether this process is to prove that it can read a state, and must call Show.
func Proving(arguments []string) bool { return len(arguments) == 1 && arguments[0] == proverName }

// Show is the life of a prover. again reads the state of a paper as a successor would, and writes it. It never returns.
func Show(version string, again func(p *Paper) ([]byte, error)) {
	said := proof{Version: version}
	if err := said.show(again); err != nil {
		said.Digest, said.Fault = "", err.Error()
	}
	data, err := json.Marshal(said)
	if err == nil {
		_, err = io.Copy(os.Stdout, bytes.NewReader(data))
	}
	if err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

const proverFD = 3

func (s *proof) show(again func(*Paper) ([]byte, error)) error {
	paper, err := read(proverFD)
	if err != nil {
		return err
	}
	state, err := again(paper)
	if err == nil {
		s.Digest, err = digest(state)
	}
	return err
}
