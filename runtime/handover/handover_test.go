package handover

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is also the program that hands itself on, and its successors.
func TestMain(m *testing.M) {
	if Proving(os.Args) {
		behave()
		Show("the sound one", func(p *Paper) ([]byte, error) { return p.State, nil })
	}
	if len(os.Args) == 3 && os.Args[1] == "hand-on" {
		handOnItself(os.Args[2])
	}
	os.Exit(m.Run())
}

// behave is what a prover does that is called after its fault: the name of its program.
func behave() {
	name, _ := os.Executable()
	switch filepath.Base(name) {
	case "hangs":
		time.Sleep(time.Hour)
	case "crashes":
		panic("a fault of the new program")
	case "cannot":
		Show("the old one", func(*Paper) ([]byte, error) { return nil, errors.New("there is a field that it does not know") })
	case "forgets":
		Show("the forgetful one", func(*Paper) ([]byte, error) { return []byte(`{}`), nil })
	case "swells":
		var held [][]byte
		for {
			held = append(held, bytes.Repeat([]byte{1}, 64<<20))
		}
	case "talks":
		for {
			fmt.Println(strings.Repeat("x", 1000))
		}
	}
}

// copyOf is this program under another name, by a link.
func copyOf(t *testing.T, name string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.Link(self, path); err != nil {
		data, err := os.ReadFile(self)
		if err == nil {
			err = os.WriteFile(path, data, 0o755)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// TestOnlyWhoCanReadTheStateTakesOver asks every kind of successor for its proof.
func TestOnlyWhoCanReadTheStateTakesOver(t *testing.T) {
	t.Parallel()
	file := func(text string, mode os.FileMode) string {
		path := filepath.Join(t.TempDir(), "recipe")
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, test := range []struct{ name, path, says string }{
		{"sound", copyOf(t, "sound"), ""},
		{"hangs", copyOf(t, "hangs"), "did not show within 4s"},
		{"crashes", copyOf(t, "crashes"), "did not show that it can read the state: exit status 2"},
		{"cannot", copyOf(t, "cannot"), "there is a field that it does not know"},
		{"forgets", copyOf(t, "forgets"), "it reads the state as another"},
		{"swells", copyOf(t, "swells"), "did not show"},
		{"talks", copyOf(t, "talks"), "did not show within 4s"},
		{"missing", filepath.Join(t.TempDir(), "recipe"), "no such file or directory: nothing is installed there"},
		{"not executable", file("", 0o644), "permission denied: it may not be executed; chmod +x it"},
		{"of another machine", file("\x7fELF\x02\x01\x01"+strings.Repeat("\x00", 9)+"\x02\x00\xf7\x00", 0o755), "exec format error: it is no program, or one of another machine"},
		{"another program", "/bin/true", "does not know how to take over: it is another program"},
		{"a script", file("#!/bin/sh\nexit 2\n", 0o755), "exit status 2; it is a script: install the program itself there"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			paper := &Paper{Version: "1", Executable: test.path, State: json.RawMessage(`{"a": 1e400, "b": [12345678901234567890]}`)}
			version, err := Prove(context.Background(), paper)
			switch {
			case test.says == "" && (err != nil || version != "the sound one"):
				t.Errorf("version %q, %v", version, err)
			case test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)):
				t.Errorf("%v; want %q", err, test.says)
			}
		})
	}
}

// handOnItself becomes itself, or what came of that, and tells on stdout: the pid, what it was handed, and how.
func handOnItself(how string) {
	taken, err := Take()
	if taken == nil && err == nil {
		var ends [2]int
		_ = unix.Pipe2(ends[:], unix.O_CLOEXEC)
		_, _ = unix.Write(ends[1], []byte("kept"))
		stray, _ := unix.Open("/dev/null", unix.O_RDONLY, 0)
		self, _ := os.Executable()
		paper := &Paper{Executable: self, Arguments: os.Args, Descriptors: ends[:], State: json.RawMessage(fmt.Sprintf(`{"pid":%d,"stray":%d}`, os.Getpid(), stray))}
		if how == "nobody" {
			paper.Executable = "/nonexistent"
		}
		fmt.Println("not handed on:", Become(paper, paper.Executable, func() bool {
			signal.Ignore(syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM)
			_ = unix.Kill(os.Getpid(), unix.SIGTERM)
			_ = unix.Kill(os.Getpid(), unix.SIGHUP)
			_ = unix.Kill(os.Getpid(), unix.SIGINT)
			return how == "declines"
		}))
		os.Exit(0)
	}
	if err != nil {
		fmt.Println("not taken:", err)
		os.Exit(1)
	}
	if how == "returns" && taken.Returned == "" {
		fmt.Println("not returned:", taken.Return(errors.New("it\ncannot go on"), calm))
		os.Exit(1)
	}
	var state struct{ PID, Stray int }
	_ = json.Unmarshal(taken.State, &state)
	var text [10]byte
	n, _ := unix.Read(taken.Descriptors[0], text[:])
	_, stray := unix.FcntlInt(uintptr(state.Stray), unix.F_GETFD, 0)
	flags, _ := unix.FcntlInt(uintptr(taken.Descriptors[0]), unix.F_GETFD, 0)
	fmt.Printf("pid kept %t, text %s, stray closed %t, close on exec %t, returned %q, back %v, variable %q\n",
		state.PID == os.Getpid(), text[:n], stray == unix.EBADF, flags == unix.FD_CLOEXEC, taken.Returned, taken.Returned != "" && taken.Return(errors.New("again"), calm) != nil, os.Getenv(variable))
	taken.Settle()
	os.Exit(0)
}

func calm() (asked bool) { return false }

// TestBecomingTheSuccessor follows one process through the exec, with signals that come in the middle of it.
func TestBecomingTheSuccessor(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for how, want := range map[string]string{
		"sound":    "pid kept true, text kept, stray closed true, close on exec true, returned \"\", back false, variable \"\"\n",
		"returns":  "pid kept true, text kept, stray closed true, close on exec true, returned \"it cannot go on\", back true, variable \"\"\n",
		"nobody":   "not handed on: cannot become /nonexistent: no such file or directory\n",
		"declines": "not handed on: cannot become " + self + ": this supervisor is to end\n",
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			out, err := exec.Command(self, "hand-on", how).CombinedOutput()
			if string(out) != want || err != nil {
				t.Errorf("got  %s%v\nwant %s", out, err, want)
			}
		})
	}
}

// TestTheVariableAloneMakesNobodyASuccessor hands a program another's paper, and none at all.
func TestTheVariableAloneMakesNobodyASuccessor(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	paper, err := (&Paper{Executable: self, State: json.RawMessage(`{}`)}).write()
	if err != nil {
		t.Fatal(err)
	}
	defer paper.Close()
	for _, value := range []string{"", "3", "x y z", "-1 -1 ", "3 4 ", "100 101 because"} {
		c := exec.Command(self, "hand-on", "nobody")
		c.Env = append(os.Environ(), variable+"="+value)
		c.ExtraFiles = []*os.File{paper, paper}
		out, err := c.CombinedOutput()
		if !strings.HasPrefix(string(out), "not handed on: cannot become /nonexistent") || err != nil {
			t.Errorf("%q: %s%v", value, out, err)
		}
	}
}

// FuzzParse: no bytes make a paper that names what cannot be, nor end this program.
func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"format":1,"version":"1","pid":1,"began":"2","executable":"/x","descriptors":[3],"state":{}}`))
	f.Add([]byte(`{"format":2}`))
	f.Add([]byte(`{"format":1,"descriptors":[-1],"state":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parse(data)
		if err == nil && p.Format != Format {
			t.Errorf("format %d", p.Format)
		}
	})
}
