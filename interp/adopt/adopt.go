// Package adopt makes recipes of what people have: a systemd unit, supervisord's programs, a Procfile, an upstart job, a
// sysv script. It is where an author begins, not a promise: what could not be carried over is said, in the recipe and to
// whoever asked.
//
// Map: a reader a kind (systemd.go, supervisord.go, procfile.go, upstart.go, sysv.go) fills a Draft; write.go makes the
// recipe of it. words.go splits commands as the kinds do.
//
// Rules:
//   - The text is data: nothing of it is run, and no other file is looked for.
//   - Every setting is carried over, or named in a note with what to do about it. None is dropped in silence.
//   - What makes a daemon leave its supervisor, or trusts a pidfile, is left out and said.
//   - The result reads as Starlark whatever went in.
//
// Tests: golden files, one a kind and more for its corners; a fuzz target that evaluates what comes out.
package adopt

import (
	"fmt"
	"slices"
	"strings"

	"recipe/runtime/plan"
)

// Kind is a kind of file that can be adopted.
type Kind string

// The kinds.
const (
	Systemd     Kind = "systemd"
	Supervisord Kind = "supervisord"
	Procfile    Kind = "procfile"
	Upstart     Kind = "upstart"
	Sysv        Kind = "sysv"
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Systemd, Supervisord, Procfile, Upstart, Sysv} }

// Guess tells the kind of a file by its name and its text, or "".
func Guess(file, text string) Kind {
	base := file[strings.LastIndexByte(file, '/')+1:]
	has := func(marks ...string) bool {
		return slices.ContainsFunc(marks, func(m string) bool { return strings.HasPrefix(text, m) || strings.Contains(text, "\n"+m) })
	}
	switch {
	case strings.HasSuffix(base, ".service") || has("[Service]"):
		return Systemd
	case has("[program:"):
		return Supervisord
	case base == "Procfile" || strings.HasPrefix(base, "Procfile."):
		return Procfile
	case has("### BEGIN INIT INFO"):
		return Sysv
	case strings.HasSuffix(base, ".conf") && has("exec ", "script", "start on", "respawn"):
		return Upstart
	}
	return ""
}

// Read makes a draft of a text. name is what its service is called where the text itself does not say.
func Read(kind Kind, name, text string) (*Draft, error) {
	if !strings.HasSuffix(text, "\n") {
		text += "\n"
	}
	d := &Draft{Kind: kind, Name: plainName(name)}
	read := map[Kind]func(*Draft, string){Systemd: (*Draft).systemd, Supervisord: (*Draft).supervisord, Procfile: (*Draft).procfile,
		Upstart: (*Draft).upstart, Sysv: (*Draft).sysv}[kind]
	if read == nil {
		return nil, fmt.Errorf("cannot adopt a file of the kind %q: there are %v", kind, Kinds())
	}
	read(d, text)
	d.unique()
	d.untaken()
	if len(d.Services) == 0 {
		return nil, fmt.Errorf("cannot adopt the file: it holds no command that a %s file would start", kind)
	}
	return d, nil
}

// Draft is a recipe in the making.
type Draft struct {
	Kind     Kind
	Name     string
	About    string // one line
	Flags    []Flag
	Services []*Service
	Notes    []string // what was not carried over, each a sentence without its full stop
}

// Flag is one that the recipe declares.
type Flag struct{ Variable, Name, Type, Default, Help string }

// Service is a daemon, or a task where Task is set. Texts are as the recipe has them; expressions are in its notation.
type Service struct {
	Name        string
	Task        bool
	Command     []string // expressions
	User, Group string
	Env         []Setting
	Workdir     string
	Umask       string // octal
	Directories []Directory
	Before      [][]string // commands of the preparation, as expressions
	Delay       string
	StableAfter string
	Signal      string
	Grace       string
	Limits      []Setting
	Logs        []Setting
}

// Setting is a name and an expression.
type Setting struct{ Name, Value string }

// Directory is one that is made before a start.
type Directory struct{ Path, Mode string }

// note adds one, once.
func (d *Draft) note(format string, values ...any) {
	text := oneLine(fmt.Sprintf(format, values...))
	if !slices.Contains(d.Notes, text) && len(d.Notes) < mostNotes {
		d.Notes = append(d.Notes, text)
	}
}

// mostNotes bounds what is said of a file that is none.
const mostNotes = 200

// limit sets a bound of the service; the last one counts.
func (s *Service) limit(name, value string) {
	s.Limits = slices.DeleteFunc(s.Limits, func(l Setting) bool { return l.Name == name })
	s.Limits = append(s.Limits, Setting{name, value})
}

// setenv sets a variable; the last one counts.
func (d *Draft) setenv(s *Service, name, value string) {
	if !variableName(name) {
		d.note("the environment variable %q has a name that no program could read", name)
		return
	}
	s.Env = slices.DeleteFunc(s.Env, func(v Setting) bool { return v.Name == name })
	s.Env = append(s.Env, Setting{name, quoted(value)})
}

func variableName(name string) bool {
	for i, c := range name {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return name != ""
}

// user sets the account of a service. Root is no account of the recipe's.
func (d *Draft) user(s *Service, name string) {
	switch plain := plainName(name); {
	case name == "root" || name == "0":
		d.note("%s runs as root; give it an account of its own if it can do without", s.Name)
	case plain != name || plain[0] >= '0' && plain[0] <= '9':
		d.note("the user %q is no name that an account can have", name)
	default:
		s.User = name
	}
}

// stopSignal sets the signal that asks a service to end.
func (d *Draft) stopSignal(s *Service, name string) {
	name = strings.TrimPrefix(strings.ToUpper(name), "SIG")
	if !slices.Contains(plan.Signals(), name) {
		d.note("the stop signal %q is not known", name)
		return
	}
	s.Signal = name
}

// plainName makes a text fit to be the name of a service.
func plainName(name string) string {
	name = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, name)
	name = strings.Trim(name, "-")
	if name == "" || name[0] >= '0' && name[0] <= '9' {
		name = "service-" + name
	}
	return strings.TrimRight(name[:min(len(name), 60)], "-")
}

// unique gives services of one name others.
func (d *Draft) unique() {
	seen := map[string]int{}
	for _, s := range d.Services {
		if seen[s.Name]++; seen[s.Name] > 1 {
			s.Name = fmt.Sprintf("%s-%d", s.Name, seen[s.Name])
		}
	}
}

// untaken notes what the language has no parameter for, or does otherwise.
func (d *Draft) untaken() {
	for _, s := range d.Services {
		for word, list := range map[string][]Setting{"limits": s.Limits, "logs": s.Logs} {
			for _, setting := range list {
				if !takes(word, setting.Name) {
					d.note("%s = %s of %s is not carried over", setting.Name, setting.Value, s.Name)
				}
			}
		}
		if len(s.Before) > 0 && s.User != "" {
			d.note("what prepares %s is run as %s here, which may not do all that root did", s.Name, s.User)
		}
		if s.Workdir != "" && !(strings.HasPrefix(s.Workdir, "/") && takes("service", "workdir")) {
			d.note("the working directory %s of %s is not carried over", s.Workdir, s.Name)
		}
		if s.Umask != "" && !takes("service", "umask") {
			d.note("the umask %s of %s is not carried over", s.Umask, s.Name)
		}
	}
}

func oneLine(s string) string {
	const most = 300
	s = strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r == '\uFFFD' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))), " ")
	if runes := []rune(s); len(runes) > most {
		s = string(runes[:most]) + "..."
	}
	return s
}
