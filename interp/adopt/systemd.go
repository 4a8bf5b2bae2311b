package adopt

import (
	"slices"
	"strings"
)

// systemd reads a .service unit.
func (d *Draft) systemd(text string) {
	s := &Service{Name: d.Name}
	entries := ini(text, false)
	for _, e := range entries {
		if e.section == "Service" && e.key == "Environment" { // before what may name them
			d.systemdEnvironment(s, e.value)
		}
	}
	for _, e := range entries {
		switch e.section {
		case "Unit":
			d.systemdUnit(e)
		case "Service":
			d.systemdService(s, e)
		case "Install":
		default:
			d.note("[%s] %s is not carried over", e.section, e.key)
		}
	}
	if len(s.Command) > 0 {
		d.Services = append(d.Services, s)
	}
}

func (d *Draft) systemdUnit(e entry) {
	switch e.key {
	case "Description":
		d.About = oneLine(e.value)
	case "Documentation":
	case "StartLimitIntervalSec", "StartLimitBurst", "StartLimitInterval":
		d.note("%s is not carried over: a service is never given up", e.key)
	case "After", "Requires", "Wants", "Before", "BindsTo", "PartOf", "Requisite", "Upholds":
		d.note("%s=%s is not carried over: the host's init orders its own units; wait_for waits for what the daemon needs", e.key, e.value)
	default:
		d.note("%s=%s is not carried over", e.key, e.value)
	}
}

func (d *Draft) systemdEnvironment(s *Service, value string) {
	for _, word := range split(value) {
		name, text, _ := strings.Cut(word, "=")
		d.setenv(s, name, d.specifiers(text))
	}
}

// systemdSettings are the keys that become a bound or a setting of the same meaning, with how their value is read.
var systemdLimits = map[string]struct {
	limit string
	read  func(string) string
}{
	"LimitNOFILE": {"nofile", firstOf(whole)}, "LimitNPROC": {"nproc", firstOf(whole)}, "LimitCORE": {"core", sizeText}, "LimitFSIZE": {"fsize", sizeText},
	"LimitSTACK": {"stack", sizeText}, "LimitMEMLOCK": {"memlock", sizeText}, "MemoryMax": {"memory", sizeText}, "MemoryLimit": {"memory", sizeText},
	"TasksMax": {"pids", whole}, "Nice": {"nice", whole}, "OOMScoreAdjust": {"oom_score_adj", whole}, "NoNewPrivileges": {"no_new_privs", truth},
}

func firstOf(read func(string) string) func(string) string {
	return func(text string) string {
		first, _, _ := strings.Cut(text, ":")
		return read(first)
	}
}

func sizeText(text string) string {
	if found := firstOf(size)(text); found != "" {
		return quoted(found)
	}
	return ""
}

func truth(text string) string {
	if isTrue(text) {
		return "True"
	}
	return "False"
}

// systemdDirectories are the folders that systemd makes for a service below its own places.
var systemdDirectories = map[string]string{
	"RuntimeDirectory": "/run/", "StateDirectory": "/var/lib/", "CacheDirectory": "/var/cache/", "LogsDirectory": "/var/log/", "ConfigurationDirectory": "/etc/",
}

func (d *Draft) systemdService(s *Service, e entry) {
	if limit, ok := systemdLimits[e.key]; ok {
		if value := limit.read(e.value); value != "" {
			s.limit(limit.limit, value)
		} else if e.value != "infinity" {
			d.note("%s=%s is not carried over: its value has no fixed meaning", e.key, e.value)
		}
		return
	}
	if root, ok := systemdDirectories[e.key]; ok {
		for _, name := range strings.Fields(e.value) {
			name, _, _ = strings.Cut(d.specifiers(name), ":")
			if !folder().MatchString(name) {
				d.note("the folder %q of %s is not carried over", name, e.key)
				continue
			}
			s.Directories = append(s.Directories, Directory{Path: root + name})
		}
		return
	}
	switch e.key {
	case "ExecStart":
		if e.value == "" {
			s.Command = nil
			return
		}
		if len(s.Command) > 0 {
			d.note("of several %s the last is carried over; a step of prepare, run([...]), takes what comes before", e.key)
		}
		s.Command = allQuoted(d.foreground(d.systemdCommand(s, e)))
	case "ExecStartPre", "ExecCondition":
		if command := d.systemdCommand(s, e); len(command) > 0 {
			s.Before = append(s.Before, allQuoted(command))
		}
	case "ExecReload":
		if m := hangup().FindStringSubmatch(e.value); m != nil {
			d.note(`a reload sent %s: a flag in a template can do so with apply = signal(%q)`, m[1], strings.TrimPrefix(m[1], "SIG"))
			return
		}
		d.note("ExecReload=%s is not carried over: a changed flag restarts the service, or signals it where its apply says so", e.value)
	case "Type":
		d.systemdType(s, e.value)
	case "User":
		d.user(s, d.specifiers(e.value))
	case "Group":
		s.Group = d.kept(e, plainName(e.value))
	case "DynamicUser":
		if isTrue(e.value) && s.User == "" {
			s.User = d.Name
			d.note("DynamicUser is not carried over: the account %s is made instead", d.Name)
		}
	case "Environment":
	case "EnvironmentFile":
		d.note("the variables of %s are not carried over: write them into env, or make flags of them", strings.TrimPrefix(e.value, "-"))
	case "WorkingDirectory":
		s.Workdir = d.specifiers(strings.TrimPrefix(e.value, "-"))
	case "UMask":
		s.Umask = d.kept(e, octal(e.value))
	case "RuntimeDirectoryMode", "StateDirectoryMode", "CacheDirectoryMode", "LogsDirectoryMode", "ConfigurationDirectoryMode":
		d.systemdMode(s, systemdDirectories[strings.TrimSuffix(e.key, "Mode")], octal(e.value))
	case "RestartSec":
		s.Delay = d.kept(e, duration(e.value))
	case "Restart":
		if e.value != "always" {
			d.note("Restart=%s is not carried over: a service is started again whatever it ended with; stop it, or make a task of it", e.value)
		}
	case "KillSignal":
		d.stopSignal(s, e.value)
	case "TimeoutStopSec", "TimeoutSec":
		if s.Grace = d.kept(e, duration(e.value)); s.Grace == "0s" {
			s.Grace = ""
		}
	case "KillMode":
		if e.value != "control-group" && e.value != "mixed" {
			d.note("KillMode=%s is not carried over: a stop is done when nothing of the service is left", e.value)
		}
	case "PIDFile", "GuessMainPID":
		d.note("%s is not carried over: the daemon is a child, and known as such", e.key)
	case "CPUQuota":
		d.note("CPUQuota=%s is not carried over: limits(cpu = ...) counts CPUs", e.value)
	case "CapabilityBoundingSet", "AmbientCapabilities":
		d.note("%s=%s is not carried over: limits(capabilities = [...]) names those that the service keeps", e.key, e.value)
	case "StandardOutput", "StandardError", "SyslogIdentifier", "SyslogFacility", "SyslogLevel":
		d.note("%s=%s is not carried over: what the service writes goes to the log of whatever runs it", e.key, e.value)
	case "WatchdogSec", "NotifyAccess":
		d.note("%s is not carried over: a probe finds a hang", e.key)
	case "ExecStop", "ExecStopPost", "ExecStartPost":
		d.note("%s=%s is not carried over: a stop is a signal, a grace and the end of the whole tree", e.key, e.value)
	default:
		d.note("%s=%s is not carried over", e.key, e.value)
	}
}

var (
	hangup = pattern(`kill\s+-(?:s\s+)?(SIG[A-Z0-9]+|[A-Z]+[A-Z0-9]*)\s+\$\{?MAINPID\}?$`)
	folder = pattern(`^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$`)
)

func (d *Draft) systemdMode(s *Service, root, mode string) {
	for i := range s.Directories {
		if strings.HasPrefix(s.Directories[i].Path, root) {
			s.Directories[i].Mode = mode
		}
	}
}

func (d *Draft) systemdType(s *Service, value string) {
	switch value {
	case "forking":
		d.note("Type=forking: the daemon forks away; find the option that keeps it in the foreground, or it will be taken for dead")
	case "oneshot":
		s.Task = true
	case "notify", "notify-reload", "dbus":
		d.note("Type=%s is not carried over: a probe says when the service is ready", value)
	}
}

// systemdCommand reads a command line: its prefixes, specifiers and variables.
func (d *Draft) systemdCommand(s *Service, e entry) []string {
	value := e.value
	for value != "" && strings.ContainsRune("-@:+!|", rune(value[0])) {
		if value[0] != ':' {
			d.note("the prefix %c of %s is not carried over", value[0], e.key)
		}
		value = value[1:]
	}
	if found := escape().FindString(value); found != "" {
		d.note("%s in %s is one character to systemd: write it as a text of the recipe has it", found, e.key)
	}
	words := split(value)
	for i, w := range words {
		words[i] = d.variables(s, d.specifiers(w))
	}
	return d.absolute(words)
}

// specifiers puts in what systemd's %n and the like come to, where that is known.
func (d *Draft) specifiers(text string) string {
	return specifier().ReplaceAllStringFunc(text, func(found string) string {
		known := map[string]string{"%%": "%", "%n": d.Name + ".service", "%N": d.Name, "%p": d.Name, "%t": "/run", "%S": "/var/lib", "%C": "/var/cache", "%L": "/var/log", "%E": "/etc", "%T": "/tmp"}
		if value, ok := known[found]; ok {
			return value
		}
		d.note("%s in %q has a value that only systemd knows", found, text)
		return found
	})
}

var (
	escape    = pattern(`\\([abfnrtv]|x[0-9a-fA-F]{2}|[0-7]{3}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})`)
	specifier = pattern(`%[%A-Za-z]`)
	variable  = pattern(`\$\$|\$\{[A-Za-z_][A-Za-z0-9_]*\}|\$[A-Za-z_][A-Za-z0-9_]*`)
)

// variables puts in those that the file itself sets.
func (d *Draft) variables(s *Service, text string) string {
	return variable().ReplaceAllStringFunc(text, func(found string) string {
		if found == "$$" {
			return "$"
		}
		name := strings.Trim(found, "${}")
		if i := slices.IndexFunc(s.Env, func(v Setting) bool { return v.Name == name }); i >= 0 {
			return unquoted(s.Env[i].Value)
		}
		d.note("%s has a value that the file does not tell: make it a flag", found)
		return found
	})
}
