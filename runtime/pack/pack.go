// Package pack makes packages of plans. One file a format: deb.go is the one so far.
//
// Map: tree.go lists what a package holds, the plan's own files and what recipe adds (run-SERVICE, the check, the units,
// the plan itself, doc); source.go reads the recipe's files; deb.go writes the stream over the standard library's tar;
// read.go finds the plan in a package; control.go writes the control files and script.go the maintainer scripts, whose texts lie under scripts/,
// with the hooks of hook.go.
//
// Rules:
//   - Same recipe, same bytes: order, owners, modes and times come from the plan alone, whoever builds, where and when.
//   - Sources are opened below the recipe's folder; a link that leads out of it is an error. A file that changes while it
//     is read is an error, not half a file.
//   - Memory does not grow with the content: it is compressed into a spool file while it is hashed.
//   - BuildFile leaves a whole package under its name, or none.
//   - No split operations: each maintainer script does its part whatever the others did or failed to do, and may be run
//     twice. None can hang: whatever could is bounded by timeout. None starts what an admin stopped, and none fails the
//     transaction because the service is not healthy; it says so.
//   - A hook is carried out by its script called once more, under timeout; it fails alone, unless it is strict.
//
// Tests: dpkg-deb and dpkg read the packages back; two builds in other surroundings give the same bytes; shellcheck and
// dash judge the scripts; hosttest installs, upgrades, removes and purges in a booted Debian.
package pack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/google/renameio/v2"

	"recipe/runtime/plan"
)

// Options say what to build. Dir is the recipe's folder, where the sources of the contents lie.
type Options struct {
	Plan        *plan.Plan
	Dir         string
	Arch        string      // as Go names it; "" is this machine's
	Compression Compression // "" is Gzip
	Epoch       time.Time   // of every file; the zero time is 1980-01-01

	spool string // the folder that the compressed content waits in; "" is that for temporary files
}

// Compression is how a package's content is compressed.
type Compression string

// Zstd needs dpkg 1.21.18 (Debian 12) on the host.
const (
	Gzip Compression = "gzip"
	Zstd Compression = "zstd"
	None Compression = "none"
)

// Compressions lists what there is, the default first.
func Compressions() []Compression { return []Compression{Gzip, Zstd, None} }

// Epoch reads the value of SOURCE_DATE_EPOCH: seconds since 1970. Empty gives the zero time.
func Epoch(value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	seconds, err := strconv.ParseInt(value, 10, 64)
	if err != nil || seconds < 0 || seconds >= 1<<33 {
		return time.Time{}, fmt.Errorf("cannot use SOURCE_DATE_EPOCH=%q: it is not a number of seconds since 1970", value)
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// BuildFile writes the deb into dir, made if it is not there, and returns its path. Another build of the same name is
// replaced in one step; whatever fails leaves it alone.
func BuildFile(dir string, o Options) (string, error) {
	o, err := o.complete()
	if err != nil {
		return "", err
	}
	name, err := o.debName()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", fmt.Errorf("cannot build %s: %w", name, err)
	}
	path := filepath.Join(dir, name)
	pending, err := renameio.NewPendingFile(path, renameio.WithTempDir(dir), renameio.WithPermissions(0o644))
	if err != nil {
		return "", fmt.Errorf("cannot build %s: %w", name, err)
	}
	defer pending.Cleanup()
	o.spool = dir
	if err := Deb(pending, o); err != nil {
		return "", err
	}
	if err := pending.CloseAtomicallyReplace(); err != nil {
		return "", fmt.Errorf("cannot build %s: %w", name, err)
	}
	return path, nil
}

// complete puts the defaults in.
func (o Options) complete() (Options, error) {
	if o.Plan == nil || o.Plan.Package == nil {
		return o, errors.New("cannot build a package: the recipe declares none; add package(...)")
	}
	if o.Arch == "" {
		o.Arch = runtime.GOARCH
	}
	if o.Compression == "" {
		o.Compression = Gzip
	}
	if o.Epoch.IsZero() {
		o.Epoch = time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	o.Epoch = o.Epoch.UTC().Truncate(time.Second)
	return o, nil
}
