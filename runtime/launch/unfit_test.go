package launch_test

import (
	"bytes"
	"debug/elf"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"recipe/runtime/expr"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
)

// TestWhyAProgramIsRefused: what is missing or wrong is said of programs that are there, as a service's command and in a step.
func TestWhyAProgramIsRefused(t *testing.T) {
	t.Parallel()
	sound, err := os.ReadFile("/bin/sleep")
	if err != nil {
		t.Fatal(err)
	}
	const machine = 18 // where an ELF header has it
	foreign := append(append(bytes.Clone(sound[:machine]), byte(elf.EM_VAX), 0), sound[machine+2:]...)
	program, err := elf.NewFile(bytes.NewReader(sound))
	if err != nil {
		t.Fatal(err)
	}
	unloadable := bytes.Clone(sound)
	for _, part := range program.Progs {
		if part.Type == elf.PT_INTERP {
			copy(unloadable[part.Off:], "/absent\x00")
		}
	}
	for _, c := range []struct{ name, text, says string }{
		{"empty", "", "it is empty"},
		{"text", "hello\n", "it is neither a program for this machine nor a script that begins with #!"},
		{"another machine", string(foreign), "it is a program for another machine (vax), or a damaged one"},
		{"no loader", string(unloadable), "its loader /absent is not there"},
		{"no interpreter", "#! /absent/perl -w\n", "its interpreter /absent/perl is not there"},
		{"DOS", "#!/bin/sh\r\n", "its first line ends as in DOS, with a carriage return, which is taken for a part of the interpreter's name"},
		{"no line end", "#!/absent", "its interpreter /absent is not there"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			root := fresh(t)
			write(t, filepath.Join(root, "opt/program"), c.text, 0o755)
			path := []expr.Expr{expr.PathOf("/opt/program")}
			for _, p := range []*plan.Plan{called(path), daemon(run(5000, expr.PathOf("/opt/program")))} {
				var stdout bytes.Buffer
				cmd := command(t, launcher{native: true}, p, root, "")
				cmd.Stdout = &stdout
				cmd.Run()
				if cmd.ProcessState.ExitCode() != launch.ExitInsane || !strings.HasSuffix(stdout.String(), "/opt/program cannot be run: "+c.says+"\n") {
					t.Errorf("exit code %d: %q", cmd.ProcessState.ExitCode(), stdout.String())
				}
			}
		})
	}
}
