package pack

import (
	"bytes"
	"embed"
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
}

func maintainerScripts(p *plan.Plan) (map[string][]byte, error) {
	facts := scriptFactsOf(p)
	scripts := map[string][]byte{}
	for _, name := range []string{"preinst", "postinst", "prerm", "postrm"} {
		if !facts.need(name) {
			continue
		}
		text, err := template.ParseFS(scriptTexts, "scripts/"+name+".sh")
		if err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if err := text.Execute(&b, facts); err != nil {
			return nil, err
		}
		scripts[name] = append(bytes.TrimRight(b.Bytes(), "\n"), '\n')
	}
	return scripts, nil
}

// need reports whether a script has anything to do.
func (f *scriptFacts) need(script string) bool {
	switch {
	case f.Units != "":
		return true
	case script == "postinst":
		return len(f.Accounts)+len(f.Owned) > 0
	case script == "postrm":
		return len(f.Accounts) > 0
	}
	return false
}

func scriptFactsOf(p *plan.Plan) scriptFacts {
	q := expr.QuoteShell
	facts := scriptFacts{
		Package: p.Package.Name, UnitDir: unitDir, Lib: "/usr/lib/" + p.Name, Mark: "made by package " + p.Package.Name, Patience: 30,
	}
	var names, units []string
	for i := range p.Services {
		s := &p.Services[i]
		names = append(names, s.Name)
		units = append(units, unit.Names(s)[0])
		facts.Patience += 2 * (int64(s.Stop.Grace) + 999) / 1000 // systemd waits as long again for what KILL does not end
		facts.Files = append(facts.Files, q(unit.Stopped(p, s)))
	}
	for i := range p.Tasks {
		t := &p.Tasks[i]
		names = append(names, t.Name)
		units = append(units, unit.TaskNames(t)[0])
		facts.Patience += 2 * (int64(t.Launched().Stop.Grace) + 999) / 1000
		facts.Files = append(facts.Files, q(unit.StoppedTask(p, t)))
	}
	facts.Units = strings.Join(units, " ")
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
	if len(names) > 0 {
		facts.Files = append(facts.Files, q(p.FlagsPath()))
		leavings(p, &facts)
		facts.Emptied = append(facts.Emptied, q("/etc/"+p.Name))
	}
	return facts
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
	for _, s := range p.Launches() {
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
