package bounded

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// ChildName is a child's argv[0]. Nobody types it by accident, and it makes children legible in ps.
const ChildName = "recipe-bounded"

// Kind does one kind of work: request in, answer out. An error is told to whoever asked for the work; the child lives on.
type Kind func(ask Ask, request []byte) ([]byte, error)

// Ask asks the parent, by a name and a question, while the work is being done.
type Ask func(name string, question []byte) ([]byte, error)

// IsChild tells from the arguments whether this process was started as a child and must call Serve, before it does
// anything else.
func IsChild(arguments []string) bool { return len(arguments) == 1 && arguments[0] == ChildName }

// Serve is the life of a child: it does the work that comes in on stdin until that ends. It never returns.
func Serve(kinds map[string]Kind) {
	s := &server{in: os.Stdin, out: os.Stdout}
	if err := s.serve(kinds); err != nil {
		fmt.Fprintln(os.Stderr, err) // the parent reads it
		os.Exit(exitBroken)
	}
	os.Exit(0)
}

// The exit codes by which a child tells its parent why it ends. A child that Go's runtime ends has code 2.
const (
	exitBroken = 80 + iota
	exitMemory
	exitCPU
	exitAnswer
)

type server struct {
	in    io.Reader
	out   io.Writer
	terms Limits
}

func (s *server) serve(kinds map[string]Kind) error {
	kind, data, err := readFrame(s.in, 4096)
	if err == io.EOF {
		return nil // there was no work after all
	}
	if err == nil && kind != frameTerms {
		err = fmt.Errorf("the first frame is of kind %q", kind)
	}
	if err == nil {
		err = json.Unmarshal(data, &s.terms)
	}
	if err != nil {
		return fmt.Errorf("cannot read the limits: %w", err)
	}
	guard := newWatch(s.terms)
	if err := confine(s.terms); err != nil {
		return fmt.Errorf("cannot confine the process: %w", err)
	}
	for {
		kind, data, err := readFrame(s.in, mostFrame)
		if err == io.EOF {
			return nil
		}
		if err != nil || kind != frameRequest {
			return fmt.Errorf("cannot read a request (%q): %w", kind, err)
		}
		guard.begin()
		err = s.work(kinds, data)
		guard.end()
		if err != nil {
			return err
		}
		if guard.large() {
			debug.FreeOSMemory() // what this work left behind is no fault of the next
		}
	}
}

func (s *server) work(kinds map[string]Kind, data []byte) error {
	name, request, _ := bytes.Cut(data, []byte("\n"))
	do := kinds[string(name)]
	if do == nil {
		return writeFrame(s.out, frameFault, fmt.Appendf(nil, "there is no kind of work %q", name))
	}
	answer, err := do(s.ask, request)
	if err != nil {
		return writeFrame(s.out, frameFault, []byte(err.Error())[:min(len(err.Error()), 4096)])
	}
	if len(answer) > s.terms.Answer {
		os.Exit(exitAnswer)
	}
	return writeFrame(s.out, frameAnswer, binary.BigEndian.AppendUint64(nil, uint64(used())), answer)
}

func (s *server) ask(name string, question []byte) ([]byte, error) {
	if len(question) > s.terms.Answer {
		os.Exit(exitAnswer)
	}
	if err := writeFrame(s.out, frameAsk, []byte(name), []byte("\n"), question); err != nil {
		return nil, err
	}
	kind, data, err := readFrame(s.in, mostFrame)
	if err == nil && kind != frameReply && kind != frameFault {
		err = fmt.Errorf("cannot read the reply: it is of kind %q", kind)
	}
	if err == nil && kind == frameFault {
		err = fmt.Errorf("%s", data)
	}
	return data, err
}
