package pack

import (
	"archive/tar"
	"fmt"
	"io"
	"slices"
	"strings"

	"recipe/runtime/plan"
)

// writeControl writes the archive of control files.
func (o Options) writeControl(w io.Writer, entries []entry, facts *dataFacts) error {
	scripts, err := maintainerScripts(o.Plan)
	if err != nil {
		return err
	}
	var conffiles strings.Builder
	for _, e := range entries {
		if e.config {
			conffiles.WriteString(e.path + "\n")
		}
	}
	control, err := o.control(facts.installed)
	if err != nil {
		return err
	}
	files := map[string][]byte{"control": []byte(control), "md5sums": facts.md5sums.Bytes(), "conffiles": []byte(conffiles.String())}
	for name, text := range scripts {
		files[name] = text
	}
	z, err := o.compressor(w)
	if err != nil {
		return err
	}
	defer z.Close()
	archive := tar.NewWriter(z)
	if err := o.writeDirectory(archive, "./", 0o755); err != nil {
		return err
	}
	for _, name := range []string{"conffiles", "control", "md5sums", "postinst", "postrm", "preinst", "prerm"} {
		text := files[name]
		if len(text) == 0 {
			continue
		}
		mode := plan.Mode(0o644)
		if scripts[name] != nil {
			mode = 0o755
		}
		if err := archive.WriteHeader(o.header("./"+name, mode, int64(len(text)))); err != nil {
			return err
		}
		if _, err := archive.Write(text); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return z.Close()
}

func (o Options) control(installed int64) (string, error) {
	arch, err := o.arch()
	if err != nil {
		return "", err
	}
	p := o.Plan.Package
	var b strings.Builder
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	field("Package", p.Name)
	field("Version", p.FullVersion())
	field("Architecture", arch)
	field("Maintainer", p.Maintainer)
	field("Installed-Size", fmt.Sprint(installed))
	field("Depends", strings.Join(depends(o.Plan), ", "))
	field("Section", "misc")
	field("Priority", "optional")
	field("Homepage", p.Homepage)
	field("Description", strings.TrimSpace(p.Summary))
	b.WriteString(longDescription(o.Plan))
	return b.String(), nil
}

// longDescription is the text below the summary, in the form of a control file: a blank line is a dot.
func longDescription(p *plan.Plan) string {
	text := strings.TrimSpace(p.Package.Description)
	if text == "" {
		text = "Made by recipe from the plan of " + p.Name + "."
	}
	var b strings.Builder
	for _, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" {
			line = "."
		}
		for _, part := range wrap(line) {
			b.WriteString(" " + part + "\n")
		}
	}
	return b.String()
}

// wrap breaks a line between words where it is longer than what Debian's tools show. A line that begins with a blank is
// shown as it stands.
func wrap(line string) []string {
	const width = 78
	if len(line) <= width || strings.HasPrefix(line, " ") {
		return []string{line}
	}
	var lines []string
	current := ""
	for _, word := range strings.Fields(line) {
		if current != "" && len(current)+1+len(word) > width {
			lines, current = append(lines, current), ""
		}
		if current != "" {
			current += " "
		}
		current += word
	}
	return append(lines, current)
}

// depends are the recipe's own, and what the launcher, the checks and the maintainer scripts need beyond Debian's
// essential packages: recipe where it supervises, curl for probes of HTTP, openssl for those of TCP that speak TLS, passwd to make accounts.
func depends(p *plan.Plan) []string {
	all := slices.Clone(p.Package.Depends)
	add := func(name string) {
		for _, d := range all {
			if d == name || strings.HasPrefix(d, name+" (") {
				return
			}
		}
		all = append(all, name)
	}
	if p.Supervised() || p.CallsFunctions() {
		add("recipe")
	}
	for _, s := range p.Services {
		if p.Package.Style == plan.StyleBare || p.Supervised() {
			break
		}
		for _, pr := range s.Probes {
			switch {
			case pr.HTTP != nil:
				add("curl")
			case pr.TCP != nil && pr.TCP.TLS != nil:
				add("openssl")
			}
		}
	}
	if slices.ContainsFunc(p.Accounts, func(a plan.Account) bool { return !a.Existing }) {
		add("passwd")
	}
	return all
}
