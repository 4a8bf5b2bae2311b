package plan

import (
	"fmt"

	"recipe/runtime/expr"
)

func (c *checker) step(at string, s *Step) {
	set := 0
	is := func(there bool) bool {
		if there {
			set++
		}
		return there
	}
	if d := s.Directory; is(d != nil) {
		c.expression(at+".directory.path", d.Path, expr.Path)
		c.owners(at+".directory", d.Owner, d.Group)
	}
	if t := s.Template; is(t != nil) {
		c.expression(at+".template.path", t.Path, expr.Path)
		c.value(at+".template.text", t.Text, anyKind()...)
		c.secrets(at+".template.text", t.Text, t)
		c.owners(at+".template", t.Owner, t.Group)
	}
	if is(s.Run != nil) {
		c.run(at+".run", s.Run)
	}
	if is(s.Copy != nil) {
		c.copy(at+".copy", s.Copy)
	}
	if l := s.Symlink; is(l != nil) {
		c.expression(at+".symlink.path", l.Path, expr.Path)
		c.target(at+".symlink.target", l.Target)
	}
	if is(s.WaitFor != nil) {
		c.waitFor(at+".wait_for", s.WaitFor)
	}
	if is(s.RequireFile != nil) {
		c.expression(at+".require_file.path", s.RequireFile.Path, expr.Path)
	}
	if r := s.RequireFreeSpace; is(r != nil) {
		c.expression(at+".require_free_space.path", r.Path, expr.Path)
		c.expression(at+".require_free_space.size", r.Size, expr.Size)
	}
	if is(s.RequireMemory != nil) {
		c.expression(at+".require_memory.size", s.RequireMemory.Size, expr.Size)
	}
	if is(s.RequireMount != nil) {
		c.expression(at+".require_mount.path", s.RequireMount.Path, expr.Path)
	}
	if is(s.RequirePortFree != nil) {
		c.port(at+".require_port_free.port", s.RequirePortFree.Port)
	}
	if is(s.RequireWritable != nil) {
		c.expression(at+".require_writable.path", s.RequireWritable.Path, expr.Path)
	}
	if set != 1 {
		c.report(Problem{Path: at, Code: CodeKind, Message: "a prepare step is exactly one thing", Found: fmt.Sprintf("%d", set)})
	}
}

func (c *checker) owners(at, owner, group string) {
	c.account(at+".owner", owner)
	c.account(at+".group", group)
}

func (c *checker) copy(at string, s *Copy) {
	c.expression(at+".source", s.Source, expr.Path)
	c.expression(at+".path", s.Path, expr.Path)
	c.owners(at, s.Owner, s.Group)
	if s.Source.Op == expr.OpPath && s.Path.Op == expr.OpPath && s.Source.Text == s.Path.Text {
		c.report(Problem{Path: at + ".path", Code: CodePath, Message: "the file would be copied to itself", Found: fmt.Sprintf("%q", s.Path.Text)})
	}
}

// target judges where a link leads. A text is relative: an absolute one would miss the root of a run.
func (c *checker) target(path string, e expr.Expr) {
	c.expression(path, e, expr.Path, expr.Text)
	if e.Op == expr.OpText && (e.Text == "" || e.Text[0] == '/') {
		c.report(Problem{Path: path, Code: CodePath, Message: "this is no target of a link", Found: fmt.Sprintf("%q", e.Text),
			Accepted: `a path, or a text that is relative to the link's folder, as in "releases/5"`})
	}
}

func (c *checker) waitFor(at string, w *WaitFor) {
	set := 0
	if !w.Port.IsZero() {
		set++
		c.port(at+".port", w.Port)
	}
	if !w.Socket.IsZero() {
		set++
		c.expression(at+".socket", w.Socket, expr.Path)
	}
	if !w.Path.IsZero() {
		set++
		c.expression(at+".path", w.Path, expr.Path)
	}
	if set != 1 {
		c.report(Problem{Path: at + ".port", Code: CodeKind, Message: "one thing is waited for", Found: fmt.Sprintf("%d of them", set), Accepted: "one of port, socket and path"})
	}
	c.host(at+".host", w.Host)
	if w.Host != "" && w.Port.IsZero() {
		c.report(Problem{Path: at + ".host", Code: CodeKind, Message: "a host has no meaning without a port", Found: fmt.Sprintf("%q", w.Host)})
	}
	c.between(at+".timeout", int64(w.Timeout), 1, longest, showDuration)
}
