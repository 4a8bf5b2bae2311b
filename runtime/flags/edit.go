package flags

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// Edit is what changed in a flags file. Before and After are what stands behind the first '=', absent (nil) where the file
// does not set the flag. They hold no secret: a secret's file is named there.
type Edit struct {
	Flag          *plan.Flag
	Before, After *string
}

// Change edits the flags file of the plan below root in place: each of set is name=value, and each of unset a name that
// returns to its default, as does name=. Comments, order and what else is in the file stay. Nothing is changed where a
// name is unknown, a value is not taken, or the file would no longer resolve though it does now. sets are those of --set,
// which stand over the file. The file that is changed keeps its mode and owner; one that is a link is refused, since a
// file that is written by rename would take the link's place.
func Change(p *plan.Plan, root string, sets []string, facts expr.Facts, set, unset []string) (file string, edits []Edit, err error) {
	file = File(p, root)
	if info, err := os.Lstat(file); err == nil && info.Mode().Type() != 0 {
		return file, nil, fmt.Errorf("cannot change %s: it is a link or no file; change what it stands for", file)
	}
	data, err := read(file)
	if err != nil {
		return file, nil, err
	}
	text, edits, err := edit(p, data, set, unset)
	if err != nil || bytes.Equal(text, data) {
		return file, edits, err
	}
	resolves := func(data []byte) error {
		_, err := gather(p, file, root, data, sets).resolve(p, facts, nil)
		return err
	}
	if err := resolves(text); err != nil && resolves(data) == nil {
		return file, nil, fmt.Errorf("cannot change %s: with that, %w", file, err)
	}
	if err := replace(root, file, data, text); err != nil {
		return file, nil, fmt.Errorf("cannot change %s: %w", file, err)
	}
	return file, edits, nil
}

// wanted is one line to be, or none where text is nil.
type wanted struct {
	flag *plan.Flag
	text *string
}

// edit is the text with the changes. A flag that is set by an old name is set by the one that it has now; of a flag that
// stands there twice one line is left.
func edit(p *plan.Plan, data []byte, set, unset []string) ([]byte, []Edit, error) {
	wants, err := wantedOf(p, set, unset)
	if err != nil {
		return nil, nil, err
	}
	lines := strings.SplitAfter(string(data), "\n")
	var edits []Edit
	for _, want := range wants {
		edits = append(edits, want.apply(p, &lines))
	}
	text := []byte(strings.Join(lines, ""))
	if len(text) > MaxFile {
		return nil, nil, errors.New("the flags file would be larger than 1MiB")
	}
	return text, edits, nil
}

func wantedOf(p *plan.Plan, set, unset []string) (wants []wanted, err error) {
	var problems []error
	add := func(name string, text *string) {
		f := p.FlagOf(name)
		var err error
		switch {
		case f == nil:
			err = unknown(p, name)
		case text != nil:
			if err = characters(name + "=" + *text); err == nil {
				_, _, err = value(p, name, *text)
			}
		}
		for _, other := range wants {
			if err == nil && other.flag == f {
				err = errors.New("it is given twice")
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("flag %q: %w", name, err))
			return
		}
		wants = append(wants, wanted{f, text})
	}
	for _, one := range set {
		name, text, ok := strings.Cut(one, "=")
		switch {
		case !ok:
			problems = append(problems, fmt.Errorf("no '=' in %q: write flag=value", one))
		case text == "":
			add(name, nil)
		default:
			add(name, &text)
		}
	}
	for _, name := range unset {
		add(name, nil)
	}
	return wants, errors.Join(problems...)
}

// apply replaces the flag's first line, or adds one, and takes the flag's others out.
func (w wanted) apply(p *plan.Plan, lines *[]string) Edit {
	e := Edit{Flag: w.flag, After: w.text}
	var kept []string
	written := w.text == nil
	for _, line := range *lines {
		name, before, ok := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		if !ok || strings.HasPrefix(line, "#") || p.FlagOf(name) != w.flag {
			kept = append(kept, line)
			continue
		}
		if e.Before == nil {
			e.Before = &before
		}
		if !written {
			kept = append(kept, w.flag.Name+"="+*w.text+"\n")
			written = true
		}
	}
	if !written {
		if last := len(kept) - 1; last >= 0 && kept[last] != "" && !strings.HasSuffix(kept[last], "\n") {
			kept[last] += "\n"
		}
		kept = append(kept, w.flag.Name+"="+*w.text+"\n")
	}
	*lines = kept
	return e
}

// replace writes the file by rename, on the disk when it returns, unless it changed since before was read. Below a root
// of its own no link leads out of that.
func replace(root, file string, before, text []byte) error {
	top, name := "/", file
	if root != "" && root != "/" {
		top, name = root, strings.TrimPrefix(file, filepath.Clean(root))
	}
	dir, err := openFolder(top, filepath.Dir(name))
	if err != nil {
		return err
	}
	defer dir.Close()
	base := filepath.Base(file)
	temporary := "." + base + ".recipe"
	f, err := claim(dir, temporary)
	if err != nil {
		return err
	}
	defer f.Close()
	err = fill(f, dir, base, text)
	if now, failed := read(file); err == nil && (failed != nil || !bytes.Equal(now, before)) {
		err = errOvertaken
	}
	if err == nil {
		err = dir.Rename(temporary, base)
	}
	if err != nil {
		dir.Remove(temporary)
		return err
	}
	folder, err := dir.Open(".")
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

var errOvertaken = errors.New("somebody else changed it meanwhile; look at it and try again")

// claim opens the file that is to take the other's place for one writer alone, until that closes it, and empties what a
// change that was cut short left there.
func claim(dir *os.Root, name string) (*os.File, error) {
	f, err := dir.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		err = errOvertaken
	}
	if err == nil && !stands(dir, name, f) { // whoever had the lock has renamed it, or it is a link
		err = errOvertaken
	}
	if err == nil {
		err = f.Truncate(0)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// stands reports whether the name is that of the open file.
func stands(dir *os.Root, name string, f *os.File) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := dir.Lstat(name)
	return err == nil && os.SameFile(opened, named)
}

// openFolder makes what is missing of it.
func openFolder(top, name string) (*os.Root, error) {
	if err := os.MkdirAll(top, 0o755); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(top)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	name = strings.TrimPrefix(name, "/")
	if err := root.MkdirAll(name, 0o755); err != nil {
		return nil, err
	}
	return root.OpenRoot(name)
}

// fill gives the new file its text, and the mode and the owner of the one whose place it takes.
func fill(f *os.File, dir *os.Root, base string, text []byte) error {
	info, err := dir.Lstat(base)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = errors.Join(f.Chown(os.Geteuid(), os.Getegid()), f.Chmod(0o644))
	case err == nil:
		owner := info.Sys().(*syscall.Stat_t)
		err = errors.Join(f.Chown(int(owner.Uid), int(owner.Gid)), f.Chmod(info.Mode().Perm()))
	}
	if err == nil {
		_, err = f.Write(text)
	}
	if err == nil {
		err = f.Sync()
	}
	return err
}
