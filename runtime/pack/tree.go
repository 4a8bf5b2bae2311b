package pack

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"recipe/runtime/contents"
	"recipe/runtime/launch"
	"recipe/runtime/plan"
	"recipe/runtime/unit"
)

// entry is one file, directory or link of a package. Either source, below the recipe's folder, or data is a file's content.
type entry struct {
	path   string // absolute
	dir    bool
	link   string // where it leads
	mode   plan.Mode
	source string
	data   []byte
	config bool // the admin's once installed
	given  bool // by the recipe, which says its mode; other directories may be in several trees
}

const unitDir = "/usr/lib/systemd/system/"

// tree lists what the package installs, sorted, directories before what lies in them.
func (o Options) tree(sources *os.Root, listed []contents.Entry) ([]entry, error) {
	files, err := o.generated(sources, listed)
	if err != nil {
		return nil, err
	}
	for _, c := range listed {
		files = append(files, entry{path: c.Path, dir: c.Directory, link: c.Target, mode: c.Mode, source: c.Source, config: c.Config, given: c.Whole != nil})
	}
	all := map[string]entry{}
	for _, f := range files {
		other, there := all[f.path]
		if there && other.dir && f.dir {
			if other.given {
				continue
			}
		} else if there {
			return nil, fmt.Errorf("two files want to be %s: %s and %s", f.path, origin(other), origin(f))
		}
		all[f.path] = f
	}
	for _, f := range files {
		for dir := path.Dir(f.path); dir != "/"; dir = path.Dir(dir) {
			if other, there := all[dir]; there && !other.dir {
				return nil, fmt.Errorf("%s cannot be a file (%s): %s lies below it", dir, origin(other), f.path)
			}
			if !all[dir].dir {
				all[dir] = entry{path: dir, dir: true, mode: 0o755}
			}
		}
	}
	var sorted []entry
	for _, e := range all {
		sorted = append(sorted, e)
	}
	slices.SortFunc(sorted, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return sorted, nil
}

func origin(e entry) string {
	switch {
	case e.source != "":
		return fmt.Sprintf("%q of the recipe", e.source)
	case e.link != "":
		return fmt.Sprintf("a link to %q", e.link)
	case e.dir:
		return "a directory"
	}
	return "one that recipe makes"
}

// generated are the files that recipe adds. /etc/NAME is there for the flags file.
func (o Options) generated(sources *os.Root, listed []contents.Entry) ([]entry, error) {
	p := o.Plan
	files, err := o.doc()
	if err != nil {
		return nil, err
	}
	overrides, err := o.lintianOverrides(sources, listed)
	if err != nil {
		return nil, err
	}
	files = append(files, overrides...)
	encoded, err := p.Encode()
	if err != nil {
		return nil, err
	}
	files = append(files, entry{path: unit.Packaged(p), mode: 0o644, data: encoded})
	if p.Package.Style == plan.StyleBare {
		return files, nil
	}
	if len(p.Services)+len(p.Tasks) > 0 {
		files = append(files, entry{path: "/etc/" + p.Name, dir: true, mode: 0o755})
	}
	if p.Supervised() {
		return append(files, entry{path: unitDir + unit.Supervisor(p), mode: 0o644, data: unit.SystemdSupervisor(p)}), nil
	}
	for i := range p.Services {
		service, err := serviceFiles(p, &p.Services[i])
		if err != nil {
			return nil, err
		}
		files = append(files, service...)
	}
	for i := range p.Tasks {
		task, err := taskFiles(p, &p.Tasks[i])
		if err != nil {
			return nil, err
		}
		files = append(files, task...)
	}
	return files, nil
}

func taskFiles(p *plan.Plan, t *plan.Task) ([]entry, error) {
	launched := t.Launched()
	launcher, err := launch.Script(p, launched)
	if err != nil {
		return nil, err
	}
	files := []entry{
		{path: unit.Launcher(launched), mode: 0o755, data: launcher},
		{path: unitDir + t.Name + ".service", mode: 0o644, data: unit.SystemdTask(p, t)},
	}
	if timer := unit.SystemdTimer(p, t); timer != nil {
		files = append(files, entry{path: unitDir + t.Name + ".timer", mode: 0o644, data: timer})
	}
	return files, nil
}

func serviceFiles(p *plan.Plan, s *plan.Service) ([]entry, error) {
	launcher, err := launch.Script(p, s)
	if err != nil {
		return nil, err
	}
	service, err := unit.Systemd(p, s)
	if err != nil {
		return nil, err
	}
	names := unit.Names(s)
	files := []entry{
		{path: unit.Launcher(s), mode: 0o755, data: launcher},
		{path: unitDir + names[0], mode: 0o644, data: service},
	}
	socket, err := unit.SystemdSocket(p, s)
	if err != nil {
		return nil, err
	}
	if socket != nil {
		files = append(files, entry{path: unitDir + s.Name + ".socket", mode: 0o644, data: socket})
	}
	if len(names) == 1 {
		return files, nil
	}
	checker, err := unit.Check(p, s)
	if err != nil {
		return nil, err
	}
	check, err := unit.SystemdCheck(p, s)
	if err != nil {
		return nil, err
	}
	return append(files,
		entry{path: unit.Checker(p, s), mode: 0o755, data: checker},
		entry{path: unitDir + names[1], mode: 0o644, data: check}), nil
}

// doc is what Debian wants below /usr/share/doc.
func (o Options) doc() ([]entry, error) {
	p := o.Plan.Package
	license := p.License
	if license == "" {
		license = "unknown"
	}
	copyright := fmt.Sprintf("Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: %s\n", p.Name)
	if p.Homepage != "" {
		copyright += "Source: " + p.Homepage + "\n"
	}
	copyright += fmt.Sprintf("\nFiles: *\nCopyright: %s\nLicense: %s\n", p.Maintainer, license)
	digest, err := o.Plan.Digest()
	if err != nil {
		return nil, err
	}
	var changelog bytes.Buffer
	z, err := gzip.NewWriterLevel(&changelog, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(z, "%s (%s) unstable; urgency=medium\n\n  * Built from the plan %s.\n\n -- %s  %s\n",
		p.Name, p.FullVersion(), digest[:16], p.Maintainer, o.Epoch.Format("Mon, 02 Jan 2006 15:04:05 -0700"))
	if err := z.Close(); err != nil {
		return nil, err
	}
	dir := "/usr/share/doc/" + p.Name + "/"
	return []entry{
		{path: dir + "copyright", mode: 0o644, data: []byte(copyright)},
		{path: dir + "changelog.Debian.gz", mode: 0o644, data: changelog.Bytes()},
	}, nil
}
