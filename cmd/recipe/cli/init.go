package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"recipe/interp"
	"recipe/interp/adopt"
	"recipe/interp/format"
)

type initCommand struct {
	Name string `arg:"" help:"The service; the recipe is NAME.star in the current folder."`
	From string `placeholder:"FILE" help:"Begin with what there is: a systemd unit, a supervisord.conf, a Procfile, an upstart job, a sysv script, or another recipe."`
	Kind string `enum:",systemd,supervisord,procfile,upstart,sysv" default:"" help:"Of FILE, where its name and text do not tell."`
}

// Help is the long text of --help.
func (*initCommand) Help() string {
	return `Writes NAME.star and prints its path; a file that is there already is left alone. Without --from it is a daemon's recipe to be filled in.

What --from cannot carry over is said on stderr, and in the recipe, where each line is taken away as it is dealt with. Nothing of FILE is run. Another recipe is copied with its own name replaced in its texts.

Exit codes: 0 done, 1 the file is there already or FILE cannot be read, 2 wrong usage.`
}

// mostAdopted bounds what is read of a foreign file, in bytes.
const mostAdopted = 1 << 20

// Run writes the recipe.
func (c *initCommand) Run(s *Streams) error {
	if strings.ContainsAny(c.Name, "/\x00") || strings.HasPrefix(c.Name, ".") || c.Name == "" || strings.ContainsFunc(c.Name, unprintable) {
		return usagef("%q is no name of a service", c.Name)
	}
	source, notes, err := c.source(s)
	if err != nil {
		return err
	}
	path := c.Name + ".star"
	if laid, list := format.Source(path, source); !list.Failed() {
		source = laid
	}
	if err := writeNew(path, source); err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintf(s.Err, "recipe: %s: %s\n", path, printable(n))
	}
	fmt.Fprintln(s.Out, path)
	return nil
}

// source is the text of the new recipe, and what is to be said of it.
func (c *initCommand) source(s *Streams) ([]byte, []string, error) {
	if c.From == "" {
		return []byte(adopt.Template(c.Name)), []string{"fill in what the daemon is; `recipe check` says what is missing"}, nil
	}
	text, err := c.read(s)
	if err != nil {
		return nil, nil, err
	}
	if strings.HasSuffix(c.From, ".star") && c.Kind == "" {
		return c.copied(s, text)
	}
	kind := adopt.Kind(c.Kind)
	if kind == "" {
		if kind = adopt.Guess(filepath.ToSlash(c.From), string(text)); kind == "" {
			return nil, nil, usagef("cannot tell what %s is; say so: --kind systemd, supervisord, procfile, upstart or sysv", c.From)
		}
	}
	draft, err := adopt.Read(kind, c.Name, string(text))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.From, err)
	}
	return []byte(draft.Recipe()), draft.Notes, nil
}

func (c *initCommand) read(s *Streams) ([]byte, error) {
	in := s.In
	if c.From != "-" {
		f, err := os.Open(c.From)
		if err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", c.From, interp.Reason(err))
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, mostAdopted+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot read %s: %w", c.From, interp.Reason(err))
	case len(text) > mostAdopted:
		return nil, fmt.Errorf("cannot read %s: it is larger than %d KiB", c.From, mostAdopted>>10)
	}
	return text, nil
}

// copied is another recipe under this name.
func (c *initCommand) copied(s *Streams, text []byte) ([]byte, []string, error) {
	e := newEvaluator(1)
	defer e.close()
	p, list, err := e.plan(context.Background(), c.From, s.In)
	if err != nil {
		return nil, nil, fmt.Errorf("cannot evaluate %s: %w", c.From, err)
	}
	if p == nil {
		printDiagnostics(s, list)
		return nil, nil, exit(exitNo)
	}
	var notes []string
	for _, in := range p.Inputs {
		notes = append(notes, fmt.Sprintf("it loads or reads %s, which lies in %s", in.Path, filepath.Dir(c.From)))
	}
	if p.Package != nil {
		for _, content := range p.Package.Contents {
			if content.Source != "" {
				notes = append(notes, fmt.Sprintf("its package holds %s, which lies in %s", content.Source, filepath.Dir(c.From)))
			}
		}
	}
	return adopt.Renamed(text, p.Name, c.Name), notes, nil
}

// writeNew writes a file that is not there yet.
func writeNew(path string, text []byte) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot write %s: it is there already; move it away, or choose another name", path)
	}
	if err == nil {
		_, err = f.Write(text)
		err = errors.Join(err, f.Sync(), f.Close())
		if err != nil {
			os.Remove(path)
		}
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, interp.Reason(err))
	}
	return nil
}
