package lint

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"recipe/runtime/plan"
)

// build finds steps that may give something else tomorrow.
func (l *linter) build() {
	if l.plan.Package == nil {
		return
	}
	for i, step := range l.plan.Package.Build {
		if what, instead := unpinned(words(step.Command)); what != "" {
			l.find(plan.Problem{Path: fmt.Sprintf("package.build[%d].command", i), Code: CodeUnpinned, Found: what,
				Message: "what this brings may be another thing tomorrow, so that the same recipe gives another package", Hint: instead})
		}
	}
}

var (
	revision = pattern(`(@v[0-9][^@]*|==[0-9][^=]*|@[0-9][^@]*|@sha256:[0-9a-f]{64})$`)
	commit   = pattern(`^[0-9a-f]{40}$`)
)

// unpinned names what a build step takes from outside without saying which, and the way to say it.
func unpinned(command []string) (what, instead string) {
	var all []string
	for _, w := range command {
		all = append(all, strings.Fields(w)...)
	}
	for k, w := range all {
		if k > 0 && !beginsCommand(all[k-1], k) {
			continue
		}
		rest := all[k+1:]
		verb := ""
		if len(rest) > 0 {
			verb = rest[0]
		}
		has := func(words ...string) bool {
			return slices.ContainsFunc(rest, func(a string) bool { return slices.Contains(words, a) })
		}
		switch program := path.Base(w); {
		case program == "go" && (verb == "get" || verb == "install") && loose(rest[1:], "./", "/"):
			return program + " " + verb, "name a version: example.org/tool@v1.2.3"
		case (program == "npm" || program == "pnpm") && (verb == "install" || verb == "i" || verb == "add"):
			return program + " " + verb, "npm ci installs what package-lock.json says"
		case program == "yarn" && !has("--frozen-lockfile", "--immutable") && (verb == "" || verb == "install" || verb == "add"):
			return "yarn", "yarn install --immutable"
		case (program == "pip" || program == "pip3") && verb == "install" && !has("--require-hashes") && loose(rest[1:], "./", "/"):
			return program + " install", "pip install --require-hashes -r requirements.txt"
		case program == "cargo" && (verb == "install" || verb == "build") && !has("--locked", "--frozen"):
			return program + " " + verb, "cargo " + verb + " --locked"
		case (program == "gem" || program == "apt-get" || program == "apt" || program == "apk" || program == "dnf" || program == "yum") && (verb == "install" || verb == "add"):
			return program + " " + verb, "a build takes what the build machine has; say in the documentation which packages that are"
		case program == "curl" || program == "wget":
			return program, "keep the file beside the recipe, or check its hash in a program of the build"
		case program == "git" && (verb == "clone" || verb == "pull" || verb == "fetch") && !slices.ContainsFunc(rest, commit().MatchString):
			return "git " + verb, "keep the source beside the recipe, or fetch a commit by its whole hash"
		case (program == "docker" || program == "podman") && (verb == "pull" || verb == "run") && loose(rest[1:]):
			return program + " " + verb, "name an image by its digest: image@sha256:..."
		}
	}
	return "", ""
}

// loose reports whether one of the things named, options and local paths aside, is without a version.
func loose(rest []string, local ...string) bool {
	return slices.ContainsFunc(rest, func(a string) bool {
		if strings.HasPrefix(a, "-") || a == "." || slices.ContainsFunc(local, func(p string) bool { return strings.HasPrefix(a, p) || strings.HasPrefix(a, "../") }) {
			return false
		}
		return !revision().MatchString(a)
	})
}
