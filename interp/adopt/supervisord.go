package adopt

import (
	"path"
	"strings"
)

// supervisord reads the programs of a supervisord.conf.
func (d *Draft) supervisord(text string) {
	programs := map[string]*Service{}
	for _, e := range ini(text, true) {
		kind, name, _ := strings.Cut(e.section, ":")
		if kind != "program" {
			d.note("[%s] %s is not carried over", e.section, e.key)
			continue
		}
		s := programs[name]
		if s == nil {
			s = &Service{Name: plainName(name)}
			programs[name] = s
			d.Services = append(d.Services, s)
		}
		d.program(s, name, e)
	}
	var some []*Service
	for _, s := range d.Services {
		if len(s.Command) == 0 {
			d.note("the program %s has no command", s.Name)
			continue
		}
		some = append(some, s)
	}
	d.Services = some
}

func (d *Draft) program(s *Service, name string, e entry) {
	value := d.percent(name, e.value)
	switch e.key {
	case "command":
		s.Command = allQuoted(d.absolute(d.foreground(split(value))))
	case "user":
		d.user(s, value)
	case "directory":
		s.Workdir = path.Clean(value)
	case "umask":
		s.Umask = d.kept(e, octal(value))
	case "environment":
		for _, m := range pairForm().FindAllStringSubmatch(value, -1) {
			d.setenv(s, m[1], strings.Join(split(m[2]), " "))
		}
	case "startsecs":
		if value != "0" {
			s.StableAfter = d.kept(e, duration(value))
		}
	case "stopsignal":
		d.stopSignal(s, value)
	case "stopwaitsecs":
		s.Grace = d.kept(e, duration(value))
	case "numprocs":
		if value != "1" {
			d.note("numprocs=%s of %s: a service is one process; call a function for each of them", value, name)
		}
	case "stdout_logfile_maxbytes":
		if found := size(value); found != "" && found != "0B" {
			s.Logs = append(s.Logs, Setting{"size", quoted(found)})
		}
	case "stdout_logfile_backups":
		if found := whole(value); found != "" {
			s.Logs = append(s.Logs, Setting{"keep", found})
		}
	case "autostart":
		if !isTrue(value) {
			d.note("autostart=%s of %s is not carried over: recipe stop keeps a service stopped", value, name)
		}
	case "autorestart":
		if value != "true" {
			d.note("autorestart=%s of %s is not carried over: a service is started again whatever it ended with", value, name)
		}
	case "startretries":
		d.note("startretries=%s of %s is not carried over: a service is never given up", value, name)
	case "redirect_stderr", "stopasgroup", "killasgroup", "process_name", "stdout_logfile", "stderr_logfile", "stderr_logfile_maxbytes", "stderr_logfile_backups",
		"stdout_capture_maxbytes", "stderr_capture_maxbytes", "stdout_events_enabled", "stderr_events_enabled":
		// Both streams go to one log, in their order, and a stop is always that of the whole tree.
	case "priority":
		d.note("priority=%s of %s is not carried over: after = [...] names the services that come before it", value, name)
	default:
		d.note("%s=%s of %s is not carried over", e.key, value, name)
	}
}

var (
	pairForm    = pattern(`([A-Za-z_][A-Za-z0-9_]*)\s*=\s*("[^"]*"|'[^']*'|[^,]*)`)
	percentForm = pattern(`%\(([A-Za-z0-9_]+)\)[sd]|%%`)
)

// percent puts in what supervisord's %(...)s come to, where that is known.
func (d *Draft) percent(name, text string) string {
	return percentForm().ReplaceAllStringFunc(text, func(found string) string {
		if found == "%%" {
			return "%"
		}
		switch percentForm().FindStringSubmatch(found)[1] {
		case "program_name", "group_name":
			return name
		case "process_num":
			return "0"
		}
		d.note("%s of %s has a value that only supervisord knows: make it a flag", found, name)
		return found
	})
}
