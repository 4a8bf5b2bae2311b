package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"recipe/runtime/plan"
	"recipe/runtime/unit"
)

type unitCommand struct {
	File    string `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Init    string `required:"" placeholder:"NAME" enum:"systemd" help:"The init: systemd."`
	Service string `placeholder:"NAME" help:"One service or task alone."`
	Out     string `placeholder:"DIR" help:"Write the units below DIR and print their paths."`
}

// Help is the long text of --help.
func (*unitCommand) Help() string {
	return `Without --out the units go to stdout, each below a comment with its name. They start /usr/sbin/run-SERVICE, which ` + "`recipe launcher`" + ` prints and a package installs.`
}

// unitFile is a unit by its name.
type unitFile struct {
	name string
	data []byte
}

// Run prints or writes the units.
func (c *unitCommand) Run(s *Streams) error {
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	launched, err := someServices(launches(p), c.Service)
	if err != nil {
		return err
	}
	var files []unitFile
	if p.Supervised() {
		launched, files = nil, []unitFile{{unit.Supervisor(p), unit.SystemdSupervisor(p)}}
	}
	for _, service := range launched {
		if task := p.Task(service.Name); task != nil {
			files = append(files, taskFiles(p, task)...)
			continue
		}
		more, err := systemdFiles(p, service)
		if err != nil {
			return err
		}
		files = append(files, more...)
	}
	if c.Out == "" {
		for i, f := range files {
			if i > 0 {
				fmt.Fprintln(s.Out)
			}
			fmt.Fprintf(s.Out, "# %s\n%s", f.name, f.data)
		}
		return nil
	}
	return writeUnits(s, c.Out, files)
}

func systemdFiles(p *plan.Plan, service *plan.Service) ([]unitFile, error) {
	names := unit.Names(service)
	main, err := unit.Systemd(p, service)
	if err != nil {
		return nil, err
	}
	files := []unitFile{{names[0], main}}
	check, err := unit.SystemdCheck(p, service)
	if err != nil {
		return nil, err
	}
	if check != nil {
		files = append(files, unitFile{names[1], check})
	}
	socket, err := unit.SystemdSocket(p, service)
	if err != nil {
		return nil, err
	}
	if socket != nil {
		files = append(files, unitFile{service.Name + ".socket", socket})
	}
	return files, nil
}

func taskFiles(p *plan.Plan, task *plan.Task) []unitFile {
	files := []unitFile{{task.Name + ".service", unit.SystemdTask(p, task)}}
	if timer := unit.SystemdTimer(p, task); timer != nil {
		files = append(files, unitFile{task.Name + ".timer", timer})
	}
	return files
}

func writeUnits(s *Streams, dir string, files []unitFile) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("cannot make %s: %w", dir, err)
	}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		if err := renameio.WriteFile(path, f.data, 0o644, renameio.IgnoreUmask()); err != nil {
			return fmt.Errorf("cannot write %s: %w", path, err)
		}
		fmt.Fprintln(s.Out, path)
	}
	return nil
}
