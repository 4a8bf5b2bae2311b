package plan

import "fmt"

// FullVersion is the version as deb, rpm and archlinux compare it: UPSTREAM-RELEASE, and +rbN behind it when the same
// content is published for the Nth time to roll back to it. It sorts above the release that it repeats and below the next.
func (p *Package) FullVersion() string {
	v := fmt.Sprintf("%s-%d", p.Version, p.Release)
	if p.Rollback > 0 {
		v += fmt.Sprintf("+rb%d", p.Rollback)
	}
	return v
}
