package process

import (
	"syscall"
	"testing"

	"recipe/runtime/launch"
)

// BenchmarkRestart takes the time from the order to kill a daemon to its successor's exec, beside what the two spawns
// cost that it contains: our executable, which becomes the daemon. "bare" is that chain without a supervisor.
func BenchmarkRestart(b *testing.B) {
	sleeper := func(s *launch.Spec) { s.Argv = []string{"/bin/sleep", "1000"} }
	for _, mode := range []struct {
		name                    string
		noCgroup, spare, forker bool
	}{
		{"cgroup, forker", false, false, true}, {"cgroup, spare launcher", false, true, false}, {"cgroup", false, false, false},
		{"fallback, forker", true, false, true}, {"fallback, spare launcher", true, true, false}, {"fallback", true, false, false},
	} {
		b.Run(mode.name, func(b *testing.B) {
			h, err := NewHost(Options{RuntimeDir: b.TempDir(), NoCgroup: mode.noCgroup, NoSpare: !mode.spare, NoForker: !mode.forker})
			if err != nil {
				b.Fatal(err)
			}
			defer h.Close()
			if !mode.noCgroup && h.cgroup == "" {
				b.Skip(h.why)
			}
			if err := h.Claim("foo"); err != nil {
				b.Fatal(err)
			}
			r, err := tryStart(b, h, "foo", "", sleeper)
			if err != nil {
				b.Fatal(err)
			}
			r.expect(Executed{})
			for b.Loop() {
				if mode.spare {
					b.StopTimer()
					awaitSpare(b, h)
					b.StartTimer()
				}
				if err := r.Signal("KILL"); err != nil {
					b.Fatal(err)
				}
				r.expect(Exited{Status{Signal: syscall.SIGKILL}})
				r.end()
				if r, err = tryStart(b, h, "foo", "", sleeper); err != nil {
					b.Fatal(err)
				}
				r.expect(Executed{})
			}
			b.StopTimer()
			r.end()
		})
	}
	b.Run("bare launcher", func(b *testing.B) { bareRestart(b, "/proc/self/exe", []string{"become"}) })
	b.Run("bare daemon", func(b *testing.B) { bareRestart(b, "/bin/sleep", []string{"sleep", "1000"}) })
}

// bareRestart is a loop of kill, wait, fork and exec, until the last exec has closed a pipe.
func bareRestart(b *testing.B, program string, arguments []string) {
	b.Helper()
	var pipe [2]int
	run := func() int {
		if err := syscall.Pipe2(pipe[:], syscall.O_CLOEXEC); err != nil {
			b.Fatal(err)
		}
		files := []uintptr{0, 1, 2}
		if arguments[0] == "become" { // which closes it by the next exec
			files = append(files, uintptr(pipe[1]))
		}
		pid, err := syscall.ForkExec(program, arguments, &syscall.ProcAttr{
			Env: withRole("become"), Files: files, Sys: &syscall.SysProcAttr{Setsid: true},
		})
		if err != nil {
			b.Fatal(err)
		}
		syscall.Close(pipe[1])
		_, _ = syscall.Read(pipe[0], make([]byte, 1))
		syscall.Close(pipe[0])
		return pid
	}
	pid := run()
	for b.Loop() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		pid = run()
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
	_, _ = syscall.Wait4(pid, nil, 0, nil)
}
