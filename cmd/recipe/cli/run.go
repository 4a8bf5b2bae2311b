package cli

import (
	"slices"

	"recipe/runtime/control"
	"recipe/runtime/metrics"
)

type runCommand struct {
	Files []string `arg:"" name:"file" help:"Recipes, plans' JSON, or folders of them."`
	hostFlags
	ReadGroup    string `placeholder:"GROUP" help:"Let members of this group look at the services: status, why, events, and metrics on a socket."`
	CommandGroup string `placeholder:"GROUP" help:"Let members of this group command the services as well."`

	Dev  bool   `help:"Try the recipe in its source tree, as whoever calls: run its build steps, stage its contents below .recipe/NAME and run it there."`
	HTTP string `name:"http" placeholder:"ADDR" help:"Serve /metrics for Prometheus and /healthz on HOST:PORT, on the loopback where HOST is left out, or on the socket unix:PATH."`
}

// Help is the long text of --help.
func (*runCommand) Help() string {
	return `Supervises in the foreground until INT, TERM or HUP; then every service is stopped, and nothing of it is left. A second signal cuts the grace of the stops short.

The recipes, the files that they load and their flags files are watched: a change is applied by the smallest action that serves, a mistake is reported and changes nothing. The services' output goes to stdout behind their names, and to the log directory.

Of a folder each *.star (but *_test.star) and *.json is run, unless its name begins with a dot: those that appear are started, those that go are stopped. SPEC.md says what happens when all go at once.

The control socket is root's and that of whoever runs this alone, unless --read-group or --command-group open it to a group, whose members then find it as $RECIPE_RUNTIME_DIR or /run/recipe. A group is a name in /etc/group, or a number.

With --http, /metrics tells Prometheus of services and supervisor, and /healthz a load balancer whether every service that is wanted is up; SPEC.md lists both.

Exit codes: 0 ended as asked, 1 could not run, 2 wrong usage.`
}

// Run supervises until it is told to end.
func (c *runCommand) Run(s *Streams) error {
	if slices.Contains(c.Files, "-") {
		return usagef("cannot run standard input: a recipe that runs is watched, so give a file")
	}
	root, err := c.root()
	if err != nil {
		return err
	}
	v := &supervision{files: c.Files, sets: c.Set, root: root, dev: c.Dev, groups: control.Groups{Read: c.ReadGroup, Command: c.CommandGroup}, asked: s.asked}
	if c.HTTP != "" {
		address, err := metrics.ParseAddress(c.HTTP)
		if err != nil {
			return usagef("%v", err)
		}
		v.metrics = &address
	}
	return v.run(s.Out, s.Err)
}
