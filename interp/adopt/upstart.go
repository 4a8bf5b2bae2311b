package adopt

import (
	"slices"
	"strings"
)

// upstart reads a job.
func (d *Draft) upstart(text string) {
	s := &Service{Name: d.Name}
	lines := strings.Split(strings.ReplaceAll(text, "\\\n", " "), "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimSpace(lines[i])
		if line == "" || line[0] == '#' {
			continue
		}
		if stanza, ok := strings.CutSuffix(line, "script"); ok && (stanza == "" || strings.HasSuffix(stanza, " ") || strings.HasSuffix(stanza, "-")) && !strings.HasPrefix(line, "end ") {
			var body []string
			for i++; i < len(lines) && strings.TrimSpace(lines[i]) != "end script"; i++ {
				body = append(body, lines[i])
			}
			d.upstartScript(s, strings.TrimSpace(stanza), strings.TrimSpace(strings.Join(body, "\n")))
			continue
		}
		d.stanza(s, line)
	}
	if len(s.Command) > 0 {
		d.Services = append(d.Services, s)
	}
}

func (d *Draft) upstartScript(s *Service, stanza, body string) {
	switch stanza {
	case "":
		s.Command = allQuoted([]string{"/bin/sh", "-ec", body})
		d.note("the script is run by /bin/sh: what it starts last it must start with exec")
	case "pre-start":
		s.Before = append(s.Before, allQuoted([]string{"/bin/sh", "-ec", body}))
	default:
		d.note("the %s script is not carried over", stanza)
	}
}

var upstartLimits = map[string]string{"nofile": "nofile", "nproc": "nproc", "core": "core", "stack": "stack", "fsize": "fsize", "memlock": "memlock"}

func (d *Draft) stanza(s *Service, line string) {
	word, rest, _ := strings.Cut(line, " ")
	rest = strings.TrimSpace(rest)
	switch word {
	case "exec":
		s.Command = allQuoted(d.upstartCommand(rest))
	case "pre-start":
		if command, ok := strings.CutPrefix(rest, "exec "); ok {
			s.Before = append(s.Before, allQuoted(d.upstartCommand(command)))
		}
	case "post-start", "pre-stop", "post-stop":
		d.note("%s %s is not carried over", word, rest)
	case "setuid":
		d.user(s, rest)
	case "setgid":
		s.Group = plainName(rest)
	case "env":
		name, value, _ := strings.Cut(rest, "=")
		d.setenv(s, strings.TrimSpace(name), strings.Join(split(value), " "))
	case "export", "author", "version", "usage", "respawn":
		if word == "respawn" && rest != "" {
			d.note("respawn %s is not carried over: a service is never given up", rest)
		}
	case "description":
		d.About = oneLine(strings.Join(split(rest), " "))
	case "task":
		s.Task = true
	case "chdir":
		s.Workdir = rest
	case "umask":
		s.Umask = octal(rest)
	case "nice":
		if n := whole(rest); n != "" {
			s.limit("nice", n)
		}
	case "oom":
		if n := whole(strings.TrimPrefix(rest, "score ")); n != "" {
			s.limit("oom_score_adj", n)
		}
	case "limit":
		d.upstartLimit(s, strings.Fields(rest))
	case "kill":
		d.upstartKill(s, strings.Fields(rest))
	case "expect":
		d.upstartExpect(rest)
	case "start", "stop", "console", "emits", "instance", "manual", "normal", "reload", "cgroup", "apparmor", "chroot":
		d.note("%s is not carried over", line)
	default:
		d.note("the line %q is not carried over", line)
	}
}

func (d *Draft) upstartCommand(line string) []string {
	if needsShell(line) {
		d.note("%q is run by a shell, since it has more than words", line)
		return shell(line)
	}
	return d.absolute(d.foreground(split(line)))
}

func (d *Draft) upstartExpect(how string) {
	if how == "stop" {
		d.note("expect stop: the daemon stops itself when it is ready; find the option that has it not do so")
		return
	}
	d.note("expect %s: the daemon forks away; find the option that keeps it in the foreground, or it will be taken for dead", how)
}

func (d *Draft) upstartLimit(s *Service, fields []string) {
	if len(fields) < 2 || upstartLimits[fields[0]] == "" {
		d.note("limit %s is not carried over", strings.Join(fields, " "))
		return
	}
	name, value := upstartLimits[fields[0]], fields[1]
	switch {
	case value == "unlimited":
	case slices.Contains([]string{"nofile", "nproc"}, name):
		if n := whole(value); n != "" {
			s.limit(name, n)
		}
	default:
		if bytes := size(value); bytes != "" {
			s.limit(name, quoted(bytes))
		}
	}
}

func (d *Draft) upstartKill(s *Service, fields []string) {
	if len(fields) != 2 {
		return
	}
	switch fields[0] {
	case "signal":
		d.stopSignal(s, fields[1])
	case "timeout":
		if s.Grace = duration(fields[1]); s.Grace == "0s" {
			s.Grace = "1s"
		}
	}
}

// assignment is one of a sysv script whose value is written out.
var assignment = pattern(`(?m)^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)=("[^"` + "`" + `]*"|'[^']*'|[^\s;"'` + "`" + `]*)`)
