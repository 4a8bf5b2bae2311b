package cli

import "recipe/runtime/launch"

type launcherCommand struct {
	File    string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Service string `placeholder:"NAME" help:"The service or task, where the recipe has several."`
}

// Help is the long text of --help.
func (*launcherCommand) Help() string {
	return `The launcher needs nothing on the host but a POSIX sh. It prepares and becomes the daemon; where it cannot, it says why on stdout, pauses and exits with 100.`
}

// Run prints the launcher.
func (c *launcherCommand) Run(s *Streams) error {
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	service, err := oneLaunch(p, c.Service)
	if err != nil {
		return err
	}
	script, err := launch.Script(p, service)
	if err != nil {
		return err
	}
	s.Out.Write(script)
	return nil
}
