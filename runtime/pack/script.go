package pack

import (
	"bytes"
	"embed"
	"fmt"
	"path"
	"slices"
	"strings"
	"text/template"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
	"recipe/runtime/unit"
)

//go:embed scripts/*.sh
var scriptTexts embed.FS

// scriptFacts is what the maintainer scripts know of the plan. Words are quoted for sh already.
type scriptFacts struct {
	Package  string
	Units    string // those that an admin handles, with spaces between: SERVICE.service, TASK.timer
	UnitDir  string
	Lib      string   // where the checks lie
	Mark     string   // in the comment field of an account that the package made
	Accounts []string // USER GROUP HOME
	Owned    []string // PATH OWNER:GROUP MODE
	Files    []string // that purge removes
	Links    []string // that purge removes if they still are links
	Erased   []string // directories that purge removes with all that is in them
	Emptied  []string // directories that purge removes if they are empty
	Patience int64    // seconds for a stop or restart of everything
	Staged   []string // FILE UNIT: what keeps each from being started until somebody removes it
	Bare     bool     // contents alone; what an older version had beside them goes
	Asked    string   // the plan whose probes recipe itself asks, if it has any
	Version  string   // of the package, whole
	Phases   bool     // the scripts tell each other whether this is an installation

	// Of each script:
	Script    string
	Hooks     []hookFacts
	HookText  string // carries them out
	Functions string // the phases of those that are functions, as a pattern of case
	Plan      string // that they are kept in
}

// Leaves reports whether purge has something to remove.
func (f *scriptFacts) Leaves() bool {
	return len(f.Files)+len(f.Links)+len(f.Erased)+len(f.Emptied) > 0
}

func maintainerScripts(p *plan.Plan) (map[string][]byte, error) {
	facts := scriptFactsOf(p)
	scripts := map[string][]byte{}
	for _, name := range []string{"preinst", "postinst", "prerm", "postrm"} {
		if err := facts.hooks(p, name); err != nil {
			return nil, err
		}
		if !facts.need(name) {
			continue
		}
		text, err := template.ParseFS(scriptTexts, "scripts/"+name+".sh")
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := text.Execute(&b, &facts); err != nil {
			return nil, err
		}
		scripts[name] = append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
	}
	return scripts, nil
}

// need reports whether a script has anything to do.
func (f *scriptFacts) need(script string) bool {
	switch {
	case f.Units != "" || len(f.Hooks) > 0:
		return true
	case script == "preinst":
		return f.Phases
	case script == "postinst":
		return f.Phases || f.Bare || len(f.Accounts)+len(f.Owned) > 0
	case script == "postrm":
		return f.Phases || f.Leaves() || len(f.Accounts) > 0
	}
	return false
}

func scriptFactsOf(p *plan.Plan) scriptFacts {
	q := expr.QuoteShell
	facts := scriptFacts{
		Package: p.Package.Name, UnitDir: unitDir, Lib: "/usr/lib/" + p.Name, Mark: "made by package " + p.Package.Name, Patience: 30,
	}
	facts.Version = p.Package.FullVersion()
	facts.Bare = p.Package.Style == plan.StyleBare && len(p.Launches()) > 0
	facts.Phases = p.Hook(plan.AfterInstall) != nil || p.Hook(plan.AfterUpgrade) != nil || p.Hook(plan.BeforeInstall) != nil || p.Hook(plan.BeforeUpgrade) != nil
	if !facts.Bare {
		facts.units(p)
	}
	for _, a := range p.Accounts {
		if a.Existing {
			continue // the host's
		}
		group, home := a.Group, "/nonexistent"
		if group == "" {
			group = a.Name
		}
		if a.Home.Op == expr.OpPath {
			home = a.Home.Text
		}
		facts.Accounts = append(facts.Accounts, a.Name+" "+group+" "+q(home))
	}
	for _, c := range p.Package.Contents {
		if owner := ownership(p, c); owner != "" {
			facts.Owned = append(facts.Owned, q(c.Path)+" "+owner+" "+c.Mode.String())
		}
	}
	if facts.Units != "" {
		facts.Files = append(facts.Files, q(p.FlagsPath()))
	}
	leavings(p, &facts)
	if facts.Units != "" {
		facts.Emptied = append(facts.Emptied, q("/etc/"+p.Name))
	}
	return facts
}

// units are those of the services and tasks, and the files that keep them from being started.
func (f *scriptFacts) units(p *plan.Plan) {
	q := expr.QuoteShell
	if p.Supervised() {
		f.supervised(p)
		return
	}
	var units []string
	for i := range p.Services {
		s := &p.Services[i]
		units = append(units, unit.Names(s)[0])
		f.Patience += 2 * (int64(s.Stop.Grace) + 999) / 1000 // systemd waits as long again for what KILL does not end
		f.Files = append(f.Files, q(unit.Stopped(p, s)))
	}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		units = append(units, unit.TaskNames(t)[0])
		f.Patience += 2 * (int64(t.Launched().Stop.Grace) + 999) / 1000
		f.Files = append(f.Files, q(unit.StoppedTask(p, t)))
	}
	f.Units = strings.Join(units, " ")
	if p.Package.Style == plan.StyleStaging {
		for i, file := range f.Files { // one a unit so far
			f.Staged = append(f.Staged, file+" "+units[i])
		}
	}
}

// supervised is one unit, and what its supervisor keeps.
func (f *scriptFacts) supervised(p *plan.Plan) {
	q := expr.QuoteShell
	f.Units = unit.Supervisor(p)
	f.Files = append(f.Files, q(unit.Held(p)))
	if p.Package.Style == plan.StyleStaging {
		f.Staged = append(f.Staged, q(unit.Held(p))+" "+f.Units)
	}
	f.Files = append(f.Files, q("/var/lib/recipe/"+p.Name+".journal"), q("/var/lib/recipe/"+p.Name+".journal.1"), q("/var/lib/recipe/"+p.Name+".commands"), q("/run/recipe/plans/"+p.Name+".json"))
	for _, s := range p.Launches() {
		f.Patience += 2 * (int64(s.Stop.Grace) + 999) / 1000
		f.Files = append(f.Files, q("/var/lib/recipe/stopped/"+s.Name), q("/var/lib/recipe/quarantined/"+s.Name), q("/var/lib/recipe/tasks/"+s.Name+".json"), q("/var/log/recipe/"+s.Name+".log"),
			q("/run/recipe/locks/supervisor/"+s.Name), q("/run/recipe/locks/incarnation/"+s.Name))
		for i := range s.Logs.Keep {
			f.Files = append(f.Files, q(fmt.Sprintf("/var/log/recipe/%s.log.%d", s.Name, i+1)))
		}
		if len(s.Asked()) > 0 {
			f.Asked = unit.Packaged(p)
		}
	}
}

// ownership is who has a file of the content, or "" for root, whose everything is in the archive.
func ownership(p *plan.Plan, c plan.Content) string {
	owner, group := c.Owner, c.Group
	if owner == "" {
		owner = "root"
	}
	if group == "" {
		group = owner
		if a := p.Account(owner); a != nil && a.Existing && a.Group == "" {
			group = "" // that of /etc/passwd
		} else if a != nil && a.Group != "" {
			group = a.Group
		}
	}
	if owner == "root" && group == "root" {
		return ""
	}
	return owner + ":" + group
}

// leavings finds what the prepare steps leave on a host. Where they leave it is known here only if it depends on neither
// flags nor the host. What lies in a directory that is erased goes with it and is not named: on the way to it an account
// that has the directory could have put a link to somewhere else.
func leavings(p *plan.Plan, facts *scriptFacts) {
	var files, links, erased, emptied []string
	var prepared []*plan.Service
	if !facts.Bare {
		prepared = p.Launches()
	}
	for i := range p.Hooks {
		prepared = append(prepared, p.Hooks[i].Launched(p))
	}
	for _, s := range prepared {
		for _, step := range s.Prepare {
			switch {
			case step.Directory != nil && step.Directory.Path.Op == expr.OpPath:
				if dir := step.Directory.Path.Text; own(p, dir) {
					erased = append(erased, dir)
				} else {
					emptied = append(emptied, dir)
				}
			default:
				// Its folder may hold others' files, as /etc/nginx/conf.d does: it goes only if nothing is left in it.
				file, link := written(step)
				switch {
				case file == "":
					continue
				case link:
					links = append(links, file)
				default:
					files = append(files, file)
				}
				files = append(files, path.Join(path.Dir(file), ".recipe-"+s.Name+".new"))
				if dir := path.Dir(file); own(p, dir) {
					emptied = append(emptied, dir)
				}
			}
		}
	}
	slices.Reverse(emptied) // what was made last may lie in what was made first
	facts.Erased = append(facts.Erased, outside(erased, erased)...)
	facts.Files = append(facts.Files, outside(files, erased)...)
	facts.Links = append(facts.Links, outside(links, erased)...)
	facts.Emptied = append(facts.Emptied, outside(emptied, erased)...)
}

// written is the file or link that a step makes, or "".
func written(step plan.Step) (name string, link bool) {
	var e expr.Expr
	switch {
	case step.Template != nil:
		e = step.Template.Path
	case step.Copy != nil:
		e = step.Copy.Path
	case step.Symlink != nil:
		e, link = step.Symlink.Path, true
	}
	if e.Op != expr.OpPath {
		return "", false
	}
	return e.Text, link
}

// outside are the paths that lie in none of the directories, each once and quoted.
func outside(paths, dirs []string) []string {
	var quoted []string
	for _, p := range paths {
		q := expr.QuoteShell(p)
		within := slices.ContainsFunc(dirs, func(dir string) bool { return strings.HasPrefix(p, dir+"/") })
		if !within && !slices.Contains(quoted, q) {
			quoted = append(quoted, q)
		}
	}
	return quoted
}

// own tells a directory that is the package's alone, by its name, from one that it may share: below /var/lib and the
// like, /run, /etc, /srv or /opt, an element must be the name of the plan, the package, a service or a task. An account's name is not enough: others may use it.
func own(p *plan.Plan, dir string) bool {
	names := []string{p.Name, p.Package.Name}
	for _, s := range p.Launches() {
		names = append(names, s.Name)
	}
	elements := strings.Split(dir, "/")[1:]
	shared := map[string]int{"var": 2, "run": 1, "etc": 1, "srv": 1, "opt": 1}[elements[0]]
	if shared == 0 || len(elements) <= shared {
		return false
	}
	return slices.ContainsFunc(elements[shared:], func(e string) bool { return slices.Contains(names, e) })
}
