package launch

import (
	"cmp"
	"embed"
	"fmt"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Script writes run-foo as one POSIX sh text that needs the tools of a Debian base system (coreutils, util-linux,
// diffutils, awk, sed) or busybox's, and nothing of ours:
//
//	run-foo               prepares and becomes the daemon
//	run-foo --root DIR    the same with every path below DIR, which is absolute
//
// It does what Resolve, Prepare and Become do, with the same words, but for what sh cannot: it does not wait for a
// program that is open for writing, closes descriptors up to 9, resets ignored signals where env knows how
// (coreutils 8.31), kills the session of a run step but not what has left it, and leaves a program that the kernel
// refuses after all to env, which says so and exits with 126 or 127 at once.
func Script(p *plan.Plan, s *plan.Service) ([]byte, error) {
	w := &script{plan: p, service: s, shell: expr.NewShell(p.FlagKind), used: map[string]bool{}}
	if err := cmp.Or(s.PortableSockets(), s.PortableTerminal(), s.PortableForward()); err != nil {
		return nil, fmt.Errorf("cannot write the launcher of %q: it %w", s.Name, err)
	}
	if _, descriptor := s.Notifies(); descriptor > 0 {
		return nil, fmt.Errorf("cannot write the launcher of %q: it says that it is ready on a descriptor, which only recipe hands on: recipe exec, or recipe run", s.Name)
	}
	w.use("insane")
	w.flags()
	w.values()
	w.become()
	if w.err != nil {
		return nil, fmt.Errorf("cannot write the launcher of %q: %w", s.Name, w.err)
	}
	return w.assemble(), nil
}

//go:embed sh/*.sh
var texts embed.FS

// functions are the texts under sh/ in the order of the script, each with what it calls.
var functions = []struct {
	name  string
	needs string
}{
	{"insane", ""},
	{"fail", ""},
	{"try", ""},
	{"number", ""},
	{"find_setpriv", ""},
	{"account", "number find_setpriv"},
	{"more_groups", "number"},
	{"capability", ""},
	{"bound", ""},
	{"quoted", ""},
	{"too_large", ""},
	{"whole", "too_large quoted"},
	{"units", "too_large quoted"},
	{"a_duration", "units"},
	{"a_size", "units"},
	{"size", ""},
	{"truth", "quoted"},
	{"one_of", "quoted"},
	{"within", ""},
	{"one_line", ""},
	{"elements", "quoted"},
	{"matches", "quoted"},
	{"each_matches", "matches"},
	{"clean_path", "quoted"},
	{"secret_path", "clean_path"},
	{"no_flag", ""},
	{"flags", "quoted"},
	{"read_secret", ""},
	{"spread", ""},
	{"parents", "try"},
	{"owners", "number"},
	{"directory", "owners parents"},
	{"written", "owners parents"},
	{"template", "written"},
	{"copy", "written"},
	{"symlink", "owners parents"},
	{"handed", ""},
	{"may", ""},
	{"runnable", "may"},
	{"run", "runnable"},
	{"wait", ""},
	{"wait_path", "wait"},
	{"wait_tcp", "wait"},
	{"wait_socket", "wait"},
	{"workdir", "may"},
	{"require_file", "may"},
	{"free_space", ""},
	{"memory", ""},
	{"mount", ""},
	{"port_free", ""},
	{"writable", "may"},
}

// script collects the parts, then assembles them, since what stands first depends on what the rest uses.
type script struct {
	plan    *plan.Plan
	service *plan.Service
	shell   *expr.Shell
	used    map[string]bool
	settle  strings.Builder // the flags, then every value
	act     strings.Builder // the steps, then the daemon
	exec    strings.Builder // the function that execs
	openly  bool            // leaves out secrets, and what there is to warn of
	hook    bool            // something that is prepared and never started
	err     error
}

func (w *script) use(names ...string) {
	for _, name := range names {
		w.used[name] = true
		for _, f := range functions {
			if f.name == name {
				w.use(strings.Fields(f.needs)...)
			}
		}
	}
}

// text writes the lines that compute e, with place for when that fails, and returns the word for its value.
func (w *script) text(place string, e expr.Expr) string {
	lines, word, err := w.shell.Text(e)
	w.compute("doing="+expr.QuoteShell(computed(place, e)), lines, err)
	return word
}

func (w *script) compute(doing string, lines []string, err error) {
	if err != nil && w.err == nil {
		w.err = err
	}
	if len(lines) == 0 {
		return
	}
	w.use("fail")
	fmt.Fprintf(&w.settle, "%s\n%s\n", doing, strings.Join(lines, "\n"))
}

// values computes everything before the first step, as Resolve does, in the same order.
func (w *script) values() {
	words, split := w.words(argumentPlace, w.service.Command)
	fmt.Fprintf(&w.exec, "become() { # SETSID COMMAND...: execs it as the account, with the daemon's environment and nothing else\n")
	fmt.Fprintf(&w.exec, "\tdetach=$1\n\tshift\n")
	fmt.Fprintf(&w.exec, "\tcase $1 in\n\t*=*) # env would take it for a variable\n")
	fmt.Fprintf(&w.exec, "\t\tnice=$(command -v nice) || insane \"there is no nice on this host, which a program with = in its path needs\"\n")
	fmt.Fprintf(&w.exec, "\t\tset -- \"$nice\" -n 0 \"$@\"\n\t\t;;\n\tesac\n")
	w.handOver()
	w.passOn()
	fmt.Fprintf(&w.exec, "\tdefaults=\n\tif env --default-signal true 2>/dev/null; then defaults=--default-signal; fi\n")
	fmt.Fprintf(&w.exec, "\tset -- env ${defaults:+\"$defaults\"} -i \\\n")
	for _, v := range Environment(w.plan, w.service) {
		fmt.Fprintf(&w.exec, "\t\t%s=%s \\\n", v.Name, w.text(variablePlace(v.Name), v.Value))
	}
	fmt.Fprintf(&w.exec, "\t\t\"$@\"\n")
	w.assume()
	fmt.Fprintf(&w.exec, "\texec ${detach:+\"$detach\"} \"$@\"\n}\n")
	if dir := w.service.WorkDir; !dir.IsZero() {
		word := w.text(workDirPlace, dir)
		fmt.Fprintf(&w.settle, "workdir=%s\n", word)
	}
	for i := range w.service.Prepare {
		w.step(i, &w.service.Prepare[i])
	}
	set := "set -- " + strings.Join(words, " \\\n\t") + "\n"
	if split {
		set = parted + set + "set +f && unset IFS\n"
	}
	w.settle.WriteString(set)
}

// parted makes the shell part lists, and nothing else, into their elements; an argument that is none is quoted.
const parted = "IFS=, && set -f\n# shellcheck disable=SC2086\n"

// words writes the arguments of a command, with the place of each; split tells whether the line that they are on needs
// parted before it.
func (w *script) words(place func(i int) string, command []expr.Expr) (words []string, split bool) {
	for i, e := range command {
		lines, word, parts, err := w.shell.Words(e)
		w.compute("doing="+expr.QuoteShell(computed(place(i), e)), lines, err)
		if word != "" {
			words = append(words, word)
		}
		split = split || parts
	}
	return words, split
}

func (w *script) become() {
	w.use("runnable")
	if w.service.User != "" {
		w.use("account")
		if len(w.plan.Account(w.service.User).Groups) > 0 {
			w.use("more_groups")
		}
	}
	w.act.WriteString("runnable \"$1\"\n")
	if !w.service.WorkDir.IsZero() {
		w.call("workdir", "\"$workdir\"")
	}
	w.bounds()
	if strays := closing(firstSocket + len(w.service.Listen)); strays != "" {
		w.act.WriteString("exec" + strays + "\n")
	}
	w.act.WriteString("become '' \"$@\"\n")
}

// closing are the redirections that close the descriptors from first on, as far as every sh takes their numbers.
func closing(first int) string {
	var b strings.Builder
	for fd := first; fd <= 9; fd++ {
		fmt.Fprintf(&b, " %d>&-", fd)
	}
	return b.String()
}

// handOver tells the daemon of its sockets, which a step neither hears of nor has.
func (w *script) handOver() {
	n := len(w.service.Listen)
	if n == 0 {
		return
	}
	w.use("handed")
	names := strings.Join(socketNames(w.service), ":")
	fmt.Fprintf(&w.exec, "\tif [ -z \"$detach\" ]; then\n\t\tset -- %s=%d \"%s=$$\" %s=%s \"$@\"\n\telse\n\t\texec%s\n\tfi\n",
		listenCount, n, listenPID, listenNames, names, closing(firstSocket))
}

// passOn tells the daemon what this process was told of where to say that it is ready or alive, and no step.
func (w *script) passOn() {
	if told, _ := w.service.Notifies(); !told {
		return
	}
	for _, name := range []string{watchdogPID, WatchdogTime, NotifySocket} { // each goes before the last
		fmt.Fprintf(&w.exec, "\tif [ -z \"$detach\" ]; then set -- ${%[1]s:+\"%[1]s=$%[1]s\"} \"$@\"; fi\n", name)
	}
}

func (w *script) assemble() []byte {
	name := w.service.Name
	var b strings.Builder
	fmt.Fprintf(&b, `#!/bin/sh
# run-%[1]s [--root DIR]: prepares this host for %[1]s without destroying anything, then becomes it in the foreground. If the
# environment is not sane: the reason on stdout, a pause of 5 seconds ($RECIPE_PAUSE), exit code %[2]d. It may be killed at
# any instant. Written by recipe; edit the recipe instead.
set -u
PATH=%[3]s LC_ALL=C
export PATH LC_ALL
service=%[1]s

`, name, ExitInsane, searchPath)
	b.WriteString(w.prelude())
	b.WriteString(w.exec.String() + "\n")
	fmt.Fprintf(&b, `root=
if [ $# = 2 ] && [ "$1" = --root ]; then
	case $2 in
	/*) root=${2%%/} && shift 2 ;;
	esac
fi
if [ $# -gt 0 ]; then
	echo 'usage: run-%s [--root DIR], DIR being absolute' >&2
	exit 2
fi
umask 022
cd / || insane 'cannot enter /'
%s
# What this host makes of the recipe.
%s
`, name, w.shell.Facts(), w.settle.String())
	if n := len(w.service.Listen); n > 0 {
		fmt.Fprintf(&b, "handed %d %s\n", n, expr.QuoteShell(notHanded(socketNames(w.service))))
	}
	b.WriteString(w.begin() + w.act.String())
	return []byte(b.String())
}

// prelude is the functions that are used.
func (w *script) prelude() string {
	var b strings.Builder
	for _, f := range functions {
		if w.used[f.name] {
			b.WriteString(w.function(f.name) + "\n")
		}
	}
	if f := w.shell.Functions(); f != "" {
		b.WriteString("# Arithmetic: checked, 64 bits, rounding down. The result is left in $value.\n" + f + "\n")
	}
	return b.String()
}

// begin looks up the account, whose the run steps are.
func (w *script) begin() string {
	account := w.plan.Account(w.service.User)
	if account == nil {
		return ""
	}
	text := "account " + strings.TrimSpace(account.Name+" "+account.Group) + "\n"
	if len(account.Groups) > 0 {
		text += "more_groups " + strings.Join(account.Groups, " ") + "\n"
	}
	return text
}

// function is a text of sh/. With an account, what may be done is asked as that account; a hook does not pause.
func (w *script) function(name string) string {
	switch {
	case name == "may" && w.service.User != "":
		name = "may_account"
	case name == "insane" && w.hook:
		name = "insane_hook"
	}
	text, err := texts.ReadFile("sh/" + name + ".sh")
	if err != nil && w.err == nil {
		w.err = err // a table above that names no file; the tests use every row
	}
	return string(text)
}
