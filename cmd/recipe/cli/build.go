package cli

import (
	"fmt"
	"os"

	"recipe/runtime/pack"
	"recipe/runtime/stage"
)

type buildCommand struct {
	File        string `arg:"" help:"A recipe, a plan's JSON, or - for standard input, whose files are in the current folder then."`
	Format      string `default:"deb" placeholder:"NAME" enum:"deb" help:"The package format: deb."`
	Out         string `default:"." placeholder:"DIR" help:"Where the package goes; made if it is not there."`
	Arch        string `placeholder:"ARCH" help:"The package's architecture as Go names it; this machine's unless given."`
	Compression string `default:"gzip" placeholder:"NAME" enum:"gzip,zstd,none" help:"gzip, zstd (needs Debian 12 on the host) or none."`
	NoBuild     bool   `help:"Leave the recipe's build steps out; what they make is there already."`
}

// Help is the long text of --help.
func (*buildCommand) Help() string {
	return `Runs the recipe's build steps in its folder, then packs. The same contents give the same bytes, wherever and whenever; files get the time SOURCE_DATE_EPOCH, or 1980.

Of the environment, build steps see PATH, HOME, TMPDIR, SOURCE_DATE_EPOCH, XDG_CACHE_HOME and Go's GOPATH, GOCACHE, GOMODCACHE, GOPROXY, GOFLAGS, GOTOOLCHAIN, GOSUMDB, GONOSUMDB, GOPRIVATE, with LC_ALL=C.UTF-8 and TZ=UTC. What they print goes to stderr.`
}

// Run builds and prints the package's path.
func (c *buildCommand) Run(s *Streams) error {
	ctx, stop := interruptible()
	defer stop()
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	epoch, err := pack.Epoch(os.Getenv("SOURCE_DATE_EPOCH"))
	if err != nil {
		return err
	}
	dir := folder(c.File)
	if !c.NoBuild {
		if err := stage.Build(ctx, p, dir, s.Err); err != nil {
			return err
		}
	}
	path, err := pack.BuildFile(c.Out, pack.Options{Plan: p, Dir: dir, Arch: c.Arch, Compression: pack.Compression(c.Compression), Epoch: epoch})
	if err != nil {
		return err
	}
	fmt.Fprintln(s.Out, path)
	return nil
}
