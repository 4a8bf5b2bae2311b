package adopt

import (
	"strings"
)

var (
	procForm    = pattern(`^([A-Za-z0-9_-]+)\s*:\s*(.+)$`)
	portForm    = pattern(`\$\{PORT\}|\$PORT\b`)
	defaultPort = pattern(`\$\{PORT:-([0-9]{1,5})\}`)
)

// portMark stands for the port in a command until the command is written.
const portMark = "\x00port\x00"

// procfile reads the processes of a Procfile. They get their port in $PORT, which becomes a flag.
func (d *Draft) procfile(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.ReplaceAll(line, "\x00", ""))
		m := procForm().FindStringSubmatch(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if m == nil {
			d.note("the line %q is none of a Procfile", line)
			continue
		}
		d.process(m[1], m[2])
	}
}

func (d *Draft) process(name, command string) {
	if name == "release" {
		d.note("release: %s is not carried over: it would be a prepare step, if it may run before every start, or a hook of the upgrade", command)
		return
	}
	s := &Service{Name: plainName(name)}
	fallback := ""
	if m := defaultPort().FindStringSubmatch(command); m != nil {
		fallback = m[1]
		command = defaultPort().ReplaceAllString(command, portMark)
	}
	command = portForm().ReplaceAllString(command, portMark)
	words := split(command)
	if needsShell(command) {
		words = shell(command)
		d.note("%s is run by a shell, since it has more than words", name)
	} else {
		words = d.absolute(d.foreground(words))
	}
	variable := ""
	if strings.Contains(command, portMark) {
		variable = d.port(name, fallback)
		s.Env = append(s.Env, Setting{"PORT", `fmt("{}", ` + variable + `)`})
	}
	for _, w := range words {
		s.Command = append(s.Command, formatted(w, portMark, variable))
	}
	d.Services = append(d.Services, s)
}

// firstPort is what Procfile runners give to the first process, and portStep lies between two of them.
const (
	firstPort = 5000
	portStep  = 100
)

func (d *Draft) port(name, fallback string) string {
	flagName := plainName(name) + "-port"
	for _, f := range d.Flags {
		if f.Name == flagName {
			return f.Variable
		}
	}
	variable := strings.ReplaceAll(flagName, "-", "_")
	n := number(fallback, firstPort+portStep*len(d.Flags))
	if n == "0" || len(n) == 5 && n > "65535" || len(d.Flags) > 500 {
		n = number("", firstPort)
	}
	d.Flags = append(d.Flags, Flag{Variable: variable, Name: flagName, Type: "port", Default: n, Help: "TCP port of " + name})
	return variable
}
