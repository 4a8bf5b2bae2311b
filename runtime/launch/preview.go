package launch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/diff"
	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// mostCompared bounds the files whose contents a preview shows the difference of, in bytes.
const mostCompared = 256 << 10

// Preview tells, in one or more lines a step, what Prepare would do on this host now. It changes nothing and runs nothing;
// what requires something is asked, and what waits is not waited for.
func (s *Spec) Preview() []string {
	var lines []string
	id, err := s.lookUp()
	if err != nil {
		lines = append(lines, "the start would be refused: "+err.Error())
	}
	for i := range s.Steps {
		lines = append(lines, s.preview(id, &s.Steps[i])...)
	}
	return lines
}

func (s *Spec) preview(id *identity, step *Step) []string {
	switch {
	case step.Directory != nil:
		return step.Directory.preview()
	case step.Template != nil:
		return previewFile("file", step.Template.Path, step.Template.Ownership, []byte(step.Template.Text))
	case step.Copy != nil:
		return step.Copy.preview()
	case step.Symlink != nil:
		return step.Symlink.preview()
	case step.Run != nil:
		return []string{"run " + strings.Join(step.Run.Argv, " ") + id.forWhom()}
	case step.WaitFor != nil:
		return []string{"wait for " + step.WaitFor.words()}
	}
	return []string{s.require(id, step)}
}

// require asks what a step of the require family asks.
func (s *Spec) require(id *identity, step *Step) string {
	what, err := "", error(nil)
	switch {
	case step.File != nil:
		what, err = "file "+step.File.Path, step.File.prepare(id)
	case step.FreeSpace != nil:
		what, err = "free space at "+step.FreeSpace.Path, step.FreeSpace.prepare()
	case step.Memory != nil:
		what, err = "free memory", step.Memory.prepare()
	case step.Mount != nil:
		what, err = "mount at "+step.Mount.Path, step.Mount.prepare()
	case step.PortFree != nil:
		what, err = fmt.Sprintf("port %d", step.PortFree.Port), step.PortFree.prepare()
	case step.Writable != nil:
		what, err = "writable "+step.Writable.Path, step.Writable.prepare(id)
	}
	if err != nil {
		return what + ": the start would be refused: " + err.Error()
	}
	return what + ": as it should be"
}

func (d *Directory) preview() []string {
	info, err := os.Lstat(d.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{fmt.Sprintf("directory %s: would be made, %s", d.Path, d.Ownership.words())}
	case err != nil:
		return []string{fmt.Sprintf("directory %s: cannot be examined: %s", d.Path, reason(err))}
	case !info.IsDir():
		return []string{fmt.Sprintf("directory %s: the start would be refused: it is something else already", d.Path)}
	}
	return []string{"directory " + d.Path + ": " + d.Ownership.settled(d.Path)}
}

// previewFile compares a file that is written with what is there.
func previewFile(kind, path string, want Ownership, content []byte) []string {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{fmt.Sprintf("%s %s: would be written, %d bytes, %s", kind, path, len(content), want.words())}
	case err != nil:
		return []string{fmt.Sprintf("%s %s: cannot be examined: %s", kind, path, reason(err))}
	case !info.Mode().IsRegular():
		return []string{fmt.Sprintf("%s %s: the start would be refused: it is something else already", kind, path)}
	}
	f, err := os.Open(path)
	if err != nil {
		return []string{fmt.Sprintf("%s %s: cannot be read: %s", kind, path, reason(err))}
	}
	defer f.Close()
	there, err := io.ReadAll(io.LimitReader(f, mostCompared+1))
	switch {
	case err != nil:
		return []string{fmt.Sprintf("%s %s: cannot be read: %s", kind, path, reason(err))}
	case bytes.Equal(there, content):
		return []string{kind + " " + path + ": " + want.settled(path)}
	case len(there) > mostCompared || len(content) > mostCompared:
		return []string{fmt.Sprintf("%s %s: would be replaced by %d other bytes", kind, path, len(content))}
	}
	lines := []string{fmt.Sprintf("%s %s: would be replaced", kind, path)}
	for line := range strings.Lines(string(diff.Diff(path, there, path, content))) {
		lines = append(lines, "    "+strings.TrimSuffix(line, "\n"))
	}
	return lines
}

func (c *Copy) preview() []string {
	if _, err := os.Lstat(c.Path); err == nil && c.Once {
		return []string{"copy " + c.Path + ": as it should be"}
	}
	source, err := c.open()
	if err != nil {
		return []string{fmt.Sprintf("copy %s: the start would be refused: %v", c.Path, err)}
	}
	defer source.Close()
	content, err := io.ReadAll(io.LimitReader(source, mostCompared+1))
	if err != nil {
		return []string{fmt.Sprintf("copy %s: the file %s cannot be read: %s", c.Path, c.Source, reason(err))}
	}
	if len(content) > mostCompared {
		return []string{fmt.Sprintf("copy %s: would be that of %s", c.Path, c.Source)}
	}
	return previewFile("copy", c.Path, c.Ownership, content)
}

func (l *Symlink) preview() []string {
	info, err := os.Lstat(l.Path)
	there, _ := os.Readlink(l.Path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{fmt.Sprintf("link %s: would be made, to %s", l.Path, l.Target)}
	case err != nil:
		return []string{fmt.Sprintf("link %s: cannot be examined: %s", l.Path, reason(err))}
	case info.Mode()&fs.ModeSymlink == 0:
		return []string{fmt.Sprintf("link %s: the start would be refused: it is something else already", l.Path)}
	case there != l.Target:
		return []string{fmt.Sprintf("link %s: would lead to %s, and leads to %s", l.Path, l.Target, there)}
	}
	return []string{"link " + l.Path + ": as it should be"}
}

// words say what is waited for.
func (w *WaitFor) words() string {
	what, _, _ := w.path()
	switch {
	case w.Socket != "":
		what, _, _ = w.socket()
	case w.Host != "":
		what, _, _ = w.tcp()
	}
	return what
}

// words say what is wanted.
func (o Ownership) words() string {
	text := "mode " + o.Mode.String()
	if o.Owner != "" {
		text += ", owner " + o.Owner
	}
	if o.Group != "" {
		text += ", group " + o.Group
	}
	return text
}

// settled says whether mode, owner and group of what lies at path are what is wanted. Owners are left alone by all but root.
func (o Ownership) settled(path string) string {
	want, err := o.lookUp()
	if err != nil {
		return "the start would be refused: " + err.Error()
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return "cannot be examined: " + reason(err)
	}
	var changes []string
	if mode := plan.Mode(st.Mode & 0o7777); mode != o.Mode {
		changes = append(changes, fmt.Sprintf("mode %s would become %s", mode, o.Mode))
	}
	if !want.ownerMatches(&st) {
		changes = append(changes, fmt.Sprintf("it would be given to %s", strings.Trim(o.Owner+":"+o.Group, ":")))
	}
	if changes == nil {
		return "as it should be"
	}
	return strings.Join(changes, "; ")
}
