package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/google/renameio/v2"
	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/sync/errgroup"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/interp/format"
)

type fmtCommand struct {
	Diff  bool     `short:"d" help:"Show what would change, and change nothing."`
	Files []string `arg:"" name:"file" help:"Recipes and modules, folders of them, or - for standard input."`
}

// Help is the long text of --help.
func (*fmtCommand) Help() string {
	return `Gives recipes and modules the one layout, in place, and prints the path of each that it changed. Of a folder, every file below it that ends in .star is taken; what begins with a dot is passed over. What - reads goes to stdout. A file that cannot be read as Starlark is left as it is.

Exit codes: 0 done, or, with -d, there was nothing to do; 1 a file cannot be laid out, or, with -d, one would be changed; 2 wrong usage.`
}

// layout is one file before and after. A list that failed, or an error, says why there is no after.
type layout struct {
	path          string
	before, after []byte
	list          diag.List
	err           error
}

func (l *layout) changes() bool { return l.after != nil && !bytes.Equal(l.before, l.after) }

// Run lays out every file, also after one that fails; the answers keep the order of the arguments.
func (c *fmtCommand) Run(s *Streams) error {
	paths, err := modules(c.Files)
	if err != nil {
		return err
	}
	layouts := make([]layout, len(paths))
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i, path := range paths {
		group.Go(func() error {
			layouts[i] = layOut(path, s.In)
			if l := &layouts[i]; l.changes() && !c.Diff && path != "-" {
				l.err = replace(path, l.before, l.after)
			}
			return nil
		})
	}
	group.Wait()
	failed, changes := false, false
	for i := range layouts {
		l := &layouts[i]
		switch {
		case l.err != nil:
			complain(s.Err, l.err)
		case l.after == nil:
			printDiagnostics(s, l.list)
		case c.Diff:
			s.Out.Write(diff.Diff(l.path+".orig", l.before, l.path, l.after))
		case l.path == "-":
			s.Out.Write(l.after)
		case l.changes():
			fmt.Fprintln(s.Out, printable(l.path))
		}
		failed = failed || l.after == nil || l.err != nil
		changes = changes || l.changes()
	}
	if failed || c.Diff && changes {
		return exit(exitNo)
	}
	return nil
}

func layOut(path string, stdin io.Reader) layout {
	l := layout{path: path}
	if l.before, l.err = interp.Read(path, stdin); l.err != nil {
		l.err = fmt.Errorf("cannot read %s: %w", path, interp.Reason(l.err))
		return l
	}
	l.after, l.list = format.Source(path, l.before)
	return l
}

// replace writes a file that is there already, the one that a link leads to where the path is a link. Mode and owner
// stay. What somebody has changed since it was read, or has made unwritable, is left alone.
func replace(path string, before, after []byte) error {
	target, err := filepath.EvalSymlinks(path)
	if err == nil {
		err = renewed(target, before, after)
	}
	if err != nil {
		return fmt.Errorf("cannot write %s: %w", path, interp.Reason(err))
	}
	return nil
}

func renewed(path string, before, after []byte) error {
	old, err := os.OpenFile(path, os.O_RDWR|syscall.O_NONBLOCK, 0) // a rename asks for no right to write the file itself
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errors.New("it is not a file")
	}
	now, err := io.ReadAll(io.LimitReader(old, int64(len(before))+1))
	if err != nil {
		return err
	}
	if !bytes.Equal(now, before) {
		return errors.New("it was changed meanwhile; do it again")
	}
	next, err := renameio.NewPendingFile(path, renameio.WithPermissions(info.Mode().Perm()), renameio.IgnoreUmask())
	if err != nil {
		return err
	}
	defer next.Cleanup()
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := next.Chown(int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if _, err := next.Write(after); err != nil {
		return err
	}
	return next.CloseAtomicallyReplace()
}

// modules are the files that the arguments name, those below a folder by name.
func modules(args []string) ([]string, error) {
	var paths []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil || !info.IsDir() {
			paths = append(paths, arg) // what is not there is said with the others
			continue
		}
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return fmt.Errorf("cannot look into %s: %w", path, interp.Reason(err))
			case path != arg && strings.HasPrefix(d.Name(), "."):
				if d.IsDir() {
					return fs.SkipDir
				}
			case isFile(d) && strings.HasSuffix(path, ".star"):
				paths = append(paths, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return paths, nil
}

// isFile tells files, and links, from what would hold up a reader.
func isFile(d fs.DirEntry) bool { return d.Type()&^fs.ModeSymlink == 0 }
