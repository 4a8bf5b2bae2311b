package adopt

import (
	"strings"
)

// sysv reads what a script of /etc/init.d says of itself: its LSB header and the variables that Debian's and Red Hat's
// skeletons use. What its functions do is not read.
func (d *Draft) sysv(text string) {
	for _, m := range lsbForm().FindAllStringSubmatch(lsbHeader(text), -1) {
		d.lsb(m[1], strings.TrimSpace(m[2]))
	}
	set := variables(text)
	program := firstSet(set, "DAEMON", "daemon", "exec", "BIN", "PROG", "prog", "COMMAND")
	if program == "" || !strings.HasPrefix(program, "/") {
		if m := execForm().FindStringSubmatch(text); m != nil && program == "" {
			program = expand(m[1], set)
		}
	}
	if program == "" {
		return
	}
	words := append([]string{program}, split(firstSet(set, "DAEMON_ARGS", "DAEMON_OPTS", "OPTIONS", "ARGS", "OPTS", "DAEMONOPTS"))...)
	if strings.ContainsAny(strings.Join(words, ""), "$`") {
		d.note("the command has variables whose values the script does not tell: %s", strings.Join(words, " "))
	}
	s := &Service{Name: d.Name, Command: allQuoted(d.absolute(d.foreground(words)))}
	if user := firstSet(set, "DAEMON_USER", "DAEMONUSER", "USER", "RUNAS", "RUN_AS"); user != "" {
		d.user(s, user)
	} else if m := chuidForm().FindStringSubmatch(text); m != nil {
		d.user(s, expand(m[1], set))
	}
	if firstSet(set, "PIDFILE", "pidfile", "PIDFile") != "" {
		d.note("the script's pidfile is not carried over: the daemon is a child, and known as such")
	}
	d.note("what the functions of the script do was not read: look for what prepares a start, for the signal of its reload, and for how it stops")
	d.note("a daemon that such a script starts usually forks away: find the option that keeps it in the foreground")
	if strings.Contains(text, "/etc/default/") || strings.Contains(text, "/etc/sysconfig/") {
		d.note("the settings of its file below /etc/default or /etc/sysconfig are not carried over: make flags of them")
	}
	d.Services = append(d.Services, s)
}

var (
	lsbForm   = pattern(`(?m)^#\s*([A-Za-z-]+):[ \t]*(.*)$`)
	execForm  = pattern(`--exec[ =]+"?([^\s"]+)`)
	chuidForm = pattern(`(?:--chuid|-c)[ =]+"?([^\s":]+)`)
)

func lsbHeader(text string) string {
	_, header, _ := strings.Cut(text, "### BEGIN INIT INFO")
	header, _, _ = strings.Cut(header, "### END INIT INFO")
	return header
}

func (d *Draft) lsb(key, value string) {
	switch key {
	case "Provides":
		if fields := strings.Fields(value); len(fields) > 0 {
			d.Name = plainName(fields[0])
		}
	case "Short-Description":
		d.About = oneLine(value)
	case "Required-Start", "Should-Start":
		if value != "" {
			d.note("%s: %s is not carried over: wait_for waits for what the daemon needs", key, value)
		}
	}
}

// variables are the assignments whose values are written out, the first of each name, with earlier ones put in.
func variables(text string) map[string]string {
	set := map[string]string{}
	for _, m := range assignment().FindAllStringSubmatch(text, -1) {
		if _, known := set[m[1]]; !known {
			set[m[1]] = expand(strings.Trim(m[2], `"'`), set)
		}
	}
	return set
}

// mostExpanded bounds a value, in bytes: a script may double one again and again.
const mostExpanded = 4096

func expand(text string, set map[string]string) string {
	out := variable().ReplaceAllStringFunc(text, func(found string) string {
		if value, ok := set[strings.Trim(found, "${}")]; ok {
			return value
		}
		return found
	})
	if len(out) > mostExpanded {
		return text[:min(len(text), mostExpanded)]
	}
	return out
}

func firstSet(set map[string]string, names ...string) string {
	for _, name := range names {
		if value := set[name]; value != "" {
			return value
		}
	}
	return ""
}
