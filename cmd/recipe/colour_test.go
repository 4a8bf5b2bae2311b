package main

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

// TestColourOnATerminalAlone runs the command on a terminal, under what asks for colour and what objects to it.
func TestColourOnATerminalAlone(t *testing.T) {
	t.Parallel()
	recipe := filepath.Join(t.TempDir(), "foo.star")
	if err := os.WriteFile(recipe, []byte("servce()\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name     string
		env      []string
		args     []string
		coloured bool
	}{
		{"a terminal", []string{"TERM=xterm-256color"}, nil, true},
		{"a terminal that cannot", []string{"TERM=dumb"}, nil, false},
		{"no name of a terminal", []string{"TERM="}, nil, false},
		{"who objects", []string{"TERM=xterm", "NO_COLOR=1"}, nil, false},
		{"who objects by nothing", []string{"TERM=xterm", "NO_COLOR="}, nil, true},
		{"who insists", []string{"TERM=xterm", "NO_COLOR=1"}, []string{"--color=always"}, true},
		{"who declines", []string{"TERM=xterm"}, []string{"--color=never"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			text := onTerminal(t, c.env, append([]string{"check", recipe}, c.args...)...)
			if !strings.Contains(text, "no such word") || strings.Contains(text, "\x1b[") != c.coloured {
				t.Errorf("%q", text)
			}
		})
	}
}

// TestFailedTestsAreColoured as what check says is.
func TestFailedTestsAreColoured(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "foo_test.star")
	if err := os.WriteFile(file, []byte("def test_it():\n    assert.eq(1, 2)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for color, coloured := range map[string]bool{"auto": true, "never": false} {
		text := onTerminal(t, []string{"TERM=xterm", "NO_COLOR="}, "test", "--color="+color, file)
		if !strings.Contains(text, "the values differ") || strings.Contains(text, "\x1b[") != coloured {
			t.Errorf("%s: %q", color, text)
		}
	}
}

// onTerminal runs the command with a terminal of its own, and gives what it wrote there.
func onTerminal(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", args...)
	cmd.Args[0] = "recipe"
	cmd.Env = append(os.Environ(), env...)
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	late := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
	defer late.Stop()
	text, _ := io.ReadAll(terminal) // ends with EIO when the command does
	cmd.Wait()
	return string(text)
}
