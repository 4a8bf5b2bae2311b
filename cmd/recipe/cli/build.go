package cli

import "errors"

type buildCommand struct {
	File        string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Format      string `default:"deb" enum:"deb" help:"The package format: deb."`
	Out         string `default:"." placeholder:"DIR" help:"Where the package goes."`
	Arch        string `placeholder:"ARCH" help:"The package's architecture; this machine's by default."`
	Compression string `placeholder:"NAME" help:"How the contents are compressed."`
	NoBuild     bool   `help:"Leave the recipe's build steps out; what they make is there already."`
}

// Run builds.
func (c *buildCommand) Run(s *Streams) error {
	return errors.New("cannot build: this build has no packager")
}
