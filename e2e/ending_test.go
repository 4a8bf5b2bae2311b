package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
)

// Every exit code and every signal that ends a process is told as what it is: 256 codes and 60 signals, each of a daemon of
// its own. It takes about four seconds, of 640 starts.
func TestEveryEndingIsNamed(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	endings := map[string]string{}
	var text strings.Builder
	add := func(name, script, ending string) {
		fmt.Fprintf(&text, "service(name = %q, command = [\"/bin/sh\", \"-c\", %q], restart = restart(delay = \"1h\", cap = \"1h\"))\n", name, script)
		endings[name] = ending
	}
	for code := range 256 {
		add(fmt.Sprintf("code-%d", code), fmt.Sprintf("exit %d", code), fmt.Sprintf("exit %d", code))
	}
	for signal := unix.Signal(1); signal <= 64; signal++ {
		name := unix.SignalName(signal)
		switch signal {
		case unix.SIGCHLD, unix.SIGCONT, unix.SIGURG, unix.SIGWINCH, unix.SIGSTOP, unix.SIGTSTP, unix.SIGTTIN, unix.SIGTTOU:
			continue // these end nobody
		}
		if name == "" {
			name = fmt.Sprintf("signal %d", signal)
		}
		add(fmt.Sprintf("signal-%d", signal), fmt.Sprintf("ulimit -c 0; kill -%d $$", signal), "killed by "+name)
	}
	s := h.run("--root", h.dir, h.write("endings.star", text.String()))
	client := control.NewClient(control.SocketPath(filepath.Join(h.dir, "run"), "endings"))
	h.until("all have ended twice", func() bool {
		ended := 0
		all, _ := client.Status(t.Context())
		for _, s := range all {
			if s.NextStart != nil && s.Restarts > 0 {
				ended++
			}
		}
		return ended == len(endings)
	}, s.out.String)
	for name, ending := range endings {
		decisions, err := client.Why(t.Context(), name)
		if err != nil || len(decisions) == 0 {
			t.Fatalf("why %s: %v", name, err)
		}
		last := decisions[len(decisions)-1].Why
		if !strings.Contains(last, ": "+ending+";") {
			t.Errorf("why %s tells %q, want %q", name, last, ending)
		}
	}
	s.interrupt()
	h.empty()
}
