package driver

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"recipe/runtime/control"
)

// Supervisor implements control.Backend.
func (s *Supervisor) Supervisor(context.Context) control.Supervisor {
	return control.Supervisor{PID: os.Getpid(), Version: s.options.Version, Since: s.began, Means: s.means(os.Getpid() == 1, parent())}
}

// means tells by what each promise is kept here, of what is known here: not what an init does that does not tell. first is
// for PID 1, with which all else ends.
func (s *Supervisor) means(first bool, parent string) []control.Mean {
	return []control.Mean{
		{Promise: "tree", By: s.host.Containment()},
		{Promise: "never-two", By: "a lock that every process of a tree inherits, in " + s.host.Locks()},
		{Promise: "killed", By: s.whenKilled(first)},
		{Promise: "restart", By: restart(first, parent)},
		{Promise: "hang", By: s.whenHung()},
		{Promise: "orphans", By: orphans(first)},
		{Promise: "limits", By: s.host.Bounds()},
		{Promise: "starts", By: s.host.Starts()},
		{Promise: "files", By: s.watching()},
		{Promise: "output", By: s.piping(first)},
	}
}

func (s *Supervisor) whenKilled(first bool) string {
	const ended = "what lives of the daemons is ended by the next supervisor, before it starts any: "
	switch {
	case first:
		return "the daemons end with it, by the kernel: it is PID 1"
	case s.options.Init == nil:
		return ended + "no init listens (NOTIFY_SOCKET)"
	case !s.options.Init.Stores():
		return ended + "the init keeps no descriptors (FDSTORE)"
	case !s.host.Contains():
		return ended + "no cgroup holds a daemon together"
	}
	return "the daemons are adopted by the next supervisor, with the descriptors that the init keeps (FDSTORE), but for those with a terminal"
}

func restart(first bool, parent string) string {
	if first {
		return "whatever runs this container: it is PID 1"
	}
	return "its parent, " + parent + ", if that does so: a supervisor cannot see it"
}

func (s *Supervisor) whenHung() string {
	var by []string
	if wait := s.options.Init.Watchdog(); wait > 0 {
		by = append(by, fmt.Sprintf("the init, which waits for a sign of life for %s (WATCHDOG_USEC)", wait))
	}
	if s.options.Metrics != nil {
		by = append(by, "whoever asks for /healthz (--http)")
	}
	switch {
	case len(by) > 0:
		return strings.Join(by, "; ")
	case s.options.Init == nil:
		return "nobody: no init listens (NOTIFY_SOCKET)"
	}
	return "nobody: the init waits for no sign of life (WATCHDOG_USEC)"
}

func orphans(first bool) string {
	if first {
		return "become children of this supervisor, as it is PID 1, which reaps them"
	}
	return "become children of this supervisor, a subreaper, which reaps them"
}

// watching names one file for each reason.
func (s *Supervisor) watching() string {
	slow, watched := s.watcher.AllSlow()
	if len(slow) == 0 {
		return fmt.Sprintf("the kernel tells of changes of all %d", watched)
	}
	examples := map[string]string{}
	for _, path := range slices.Sorted(maps.Keys(slow)) {
		if why := slow[path].Error(); examples[why] == "" {
			examples[why] = path
		}
	}
	var reasons []string
	for _, why := range slices.Sorted(maps.Keys(examples)) {
		reasons = append(reasons, fmt.Sprintf("%s: %s", examples[why], why))
	}
	others := ""
	if len(slow) < watched {
		others = ", of the others the kernel tells"
	}
	return fmt.Sprintf("%d of %d are looked at every %s%s; %s", len(slow), watched, filesPoll, others, strings.Join(reasons, "; "))
}

func (s *Supervisor) piping(first bool) string {
	text := "a pipe for each service, read by this supervisor and its upgrades"
	switch {
	case first:
	case s.options.Init.Stores() && s.host.Contains():
		text += "; the init keeps it over a kill"
	default:
		text += "; after a kill nobody reads it, and writing fails"
	}
	return text
}

// parent names who started this process, as far as it is there.
func parent() string {
	pid := os.Getppid()
	if pid == 0 {
		return "which is in another pid namespace"
	}
	name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return fmt.Sprintf("process %d (%s)", pid, bytes.TrimSpace(name))
}
