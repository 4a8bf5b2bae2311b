package launch

import (
	"fmt"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// step computes what a step takes. The sh twin computes the same, in the same order (script_step.go).
func (r *resolver) step(i int, s *plan.Step) Step {
	text := func(of string, e expr.Expr) string { return r.text(stepPlace(i, of), e) }
	number := func(of string, e expr.Expr) int64 { return r.value(stepPlace(i, of), e).Int }
	switch {
	case s.Directory != nil:
		d := s.Directory
		return Step{Directory: &Directory{Path: text("path", d.Path), Ownership: Ownership{d.Owner, d.Group, d.Mode}}}
	case s.Template != nil:
		t := s.Template
		return Step{Template: &Template{Path: text("path", t.Path), Text: text("text", t.Text), Ownership: Ownership{t.Owner, t.Group, t.Mode}}}
	case s.Copy != nil:
		c := s.Copy
		return Step{Copy: &Copy{Source: text("source", c.Source), Path: text("path", c.Path), Once: c.Once, Ownership: Ownership{c.Owner, c.Group, c.Mode}}}
	case s.Symlink != nil:
		return Step{Symlink: &Symlink{Path: text("path", s.Symlink.Path), Target: text("target", s.Symlink.Target)}}
	case s.Run != nil:
		run := &Run{Timeout: s.Run.Timeout}
		for j, e := range s.Run.Command {
			run.Argv = append(run.Argv, r.words(stepPlace(i, fmt.Sprintf("argument %d", j)), e)...)
		}
		return Step{Run: run}
	case s.WaitFor != nil:
		w := &WaitFor{Timeout: s.WaitFor.Timeout}
		switch {
		case !s.WaitFor.Port.IsZero():
			w.Host, w.Port = loopback(s.WaitFor.Host), number("port", s.WaitFor.Port)
		case !s.WaitFor.Socket.IsZero():
			w.Socket = text("socket", s.WaitFor.Socket)
		default:
			w.Path = text("path", s.WaitFor.Path)
		}
		return Step{WaitFor: w}
	case s.RequireFile != nil:
		return Step{File: &File{Path: text("path", s.RequireFile.Path), Executable: s.RequireFile.Executable}}
	case s.RequireFreeSpace != nil:
		f := s.RequireFreeSpace
		return Step{FreeSpace: &FreeSpace{Path: text("path", f.Path), Size: number("size", f.Size)}}
	case s.RequireMemory != nil:
		return Step{Memory: &Memory{Size: number("size", s.RequireMemory.Size)}}
	case s.RequireMount != nil:
		return Step{Mount: &Mount{Path: text("path", s.RequireMount.Path)}}
	case s.RequirePortFree != nil:
		return Step{PortFree: &PortFree{Port: number("port", s.RequirePortFree.Port)}}
	case s.RequireWritable != nil:
		return Step{Writable: &Writable{Path: text("path", s.RequireWritable.Path)}}
	}
	return Step{}
}

func loopback(host string) string {
	if host == "" {
		return "127.0.0.1"
	}
	return host
}
