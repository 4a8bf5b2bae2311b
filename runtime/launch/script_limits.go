package launch

import (
	"fmt"
	"slices"
	"strings"

	"recipe/runtime/plan"
)

// assume writes the end of become, which puts the words in front of the command that make it what the recipe says: run
// steps are the account's, with the umask; all else is the daemon's alone. Variables come after the change of account:
// one such as LD_PRELOAD is for the account's eyes, never for root's.
func (w *script) assume() {
	s := w.service
	out := &w.exec
	if s.Umask != nil {
		fmt.Fprintf(out, "\tumask %s\n", octal(*s.Umask))
	}
	user := `--reuid "$account_uid" --regid "$account_gid" "$account_groups"`
	privileges := s.Limits.Capabilities != nil || s.Limits.NoNewPrivs
	if s.User != "" {
		condition := `[ -n "$account" ]`
		if privileges {
			condition += ` && [ -n "$detach" ]`
		}
		fmt.Fprintf(out, "\tif %s; then\n\t\tset -- \"$setpriv\" %s -- \"$@\"\n\tfi\n", condition, user)
	}
	if s.WorkDir.IsZero() && !privileges && s.Limits.Nice == nil && s.Limits.IONice == "" && s.Limits.NProc == 0 {
		return
	}
	fmt.Fprintf(out, "\tif [ -z \"$detach\" ]; then\n")
	if !s.WorkDir.IsZero() {
		fmt.Fprintf(out, "\t\tcd \"$workdir\" || insane \"the directory $workdir to start in cannot be entered\"\n")
	}
	if privileges {
		w.privileges(user)
	}
	w.schedule()
	if n := s.Limits.NProc; n > 0 { // last: what was forked until here would count
		w.use("bound")
		fmt.Fprintf(out, "\t\tbound u 1 %d 'processes of the user'\n", n)
	}
	fmt.Fprintf(out, "\tfi\n")
}

// privileges are set by one setpriv, since the account could set none.
func (w *script) privileges(user string) {
	out := &w.exec
	w.use("find_setpriv")
	fmt.Fprintf(out, "\t\tset -- -- \"$@\"\n")
	if w.service.Limits.NoNewPrivs {
		fmt.Fprintf(out, "\t\tset -- --no-new-privs \"$@\"\n")
	}
	if list := w.service.Limits.Capabilities; list != nil {
		sets := "-all"
		for _, name := range *list {
			sets += ",+" + name
		}
		fmt.Fprintf(out, "\t\tif [ \"$(id -u)\" = 0 ]; then\n")
		for _, name := range *list {
			w.use("capability")
			fmt.Fprintf(out, "\t\t\tcapability %s %d\n", name, slices.Index(plan.CapabilityNames(), name))
		}
		fmt.Fprintf(out, "\t\t\tset -- --bounding-set=%[1]s --inh-caps=%[1]s \"$@\"\n", sets)
		if w.service.User != "" {
			fmt.Fprintf(out, "\t\t\tset -- --ambient-caps=%s \"$@\"\n", sets)
		}
		fmt.Fprintf(out, "\t\tfi\n")
	}
	if w.service.User != "" {
		fmt.Fprintf(out, "\t\tif [ -n \"$account\" ]; then set -- %s \"$@\"; fi\n", user)
	}
	fmt.Fprintf(out, "\t\tfind_setpriv\n\t\tset -- \"$setpriv\" \"$@\"\n")
}

// schedule has root still, who may prefer a process.
func (w *script) schedule() {
	out, l := &w.exec, &w.service.Limits
	if l.Nice != nil { // nice adds, and to be preferred needs a privilege, and is a favour
		fmt.Fprintf(out, "\t\tcommand -v nice >/dev/null || insane 'there is no nice on this host: install coreutils'\n")
		fmt.Fprintf(out, "\t\tstep=$((%d - $(nice)))\n", *l.Nice)
		fmt.Fprintf(out, "\t\tif [ \"$step\" -ge 0 ] || [ \"$(id -u)\" = 0 ]; then set -- nice -n \"$step\" \"$@\"; fi\n")
	}
	if l.IONice == "" {
		return
	}
	class, level := ioPriority(l)
	words := []string{"ionice", "-t", "-c", fmt.Sprint(class)}
	if l.IONice != "idle" {
		words = append(words, "-n", fmt.Sprint(level))
	}
	fmt.Fprintf(out, "\t\tcommand -v ionice >/dev/null || insane 'there is no ionice on this host: install util-linux'\n")
	fmt.Fprintf(out, "\t\tset -- %s \"$@\"\n", strings.Join(words, " "))
}

// bounds are set for the shell itself, which becomes the daemon.
func (w *script) bounds() {
	l := &w.service.Limits
	for _, r := range rlimits(l) {
		if r.option != "u" {
			w.call("bound", r.option, fmt.Sprint(r.block), fmt.Sprint(r.value/r.block), quote(r.unit))
		}
	}
	if l.OOMScoreAdj != nil {
		fmt.Fprintf(&w.act, "{ echo %d >/proc/self/oom_score_adj; } 2>/dev/null || : # lowering needs a privilege, and is a favour\n", *l.OOMScoreAdj)
	}
}
