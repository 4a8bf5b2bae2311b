package launch

import (
	"fmt"
	"strings"

	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// step writes the call that carries a step out, and before it what computes its words, as the native resolver does
// (resolve_step.go).
func (w *script) step(i int, s *plan.Step) {
	text := func(of string, e expr.Expr) string { return w.text(stepPlace(i, of), e) }
	switch {
	case s.Directory != nil:
		d := s.Directory
		w.call("directory", text("path", d.Path), octal(d.Mode), quote(d.Owner), quote(d.Group))
	case s.Template != nil:
		t := s.Template
		w.call("template", text("path", t.Path), text("text", t.Text), octal(t.Mode), quote(t.Owner), quote(t.Group))
	case s.Copy != nil:
		c := s.Copy
		words := []string{text("source", c.Source), text("path", c.Path), octal(c.Mode), quote(c.Owner), quote(c.Group)}
		if c.Once {
			words = append(words, "once")
		}
		w.call("copy", words...)
	case s.Symlink != nil:
		w.call("symlink", text("path", s.Symlink.Path), text("target", s.Symlink.Target))
	case s.Run != nil:
		words, split := w.words(func(j int) string { return stepPlace(i, fmt.Sprintf("argument %d", j)) }, s.Run.Command)
		words = append([]string{s.Run.Timeout.String(), seconds(s.Run.Timeout)}, words...)
		if split {
			w.act.WriteString(parted)
			w.use("run")
			w.call("spread", append([]string{"run"}, words...)...)
		} else {
			w.call("run", words...)
		}
	case s.WaitFor != nil:
		w.waitFor(text, s.WaitFor)
	default:
		w.requirement(text, s)
	}
}

func (w *script) waitFor(text func(string, expr.Expr) string, s *plan.WaitFor) {
	limit := []string{s.Timeout.String(), fmt.Sprint((int64(s.Timeout) + 9) / 10)}
	switch {
	case !s.Port.IsZero():
		w.call("wait_tcp", append(limit, quote(loopback(s.Host)), text("port", s.Port))...)
	case !s.Socket.IsZero():
		w.call("wait_socket", append(limit, text("socket", s.Socket))...)
	default:
		w.call("wait_path", append(limit, text("path", s.Path))...)
	}
}

func (w *script) requirement(text func(string, expr.Expr) string, s *plan.Step) {
	switch {
	case s.RequireFile != nil:
		words := []string{text("path", s.RequireFile.Path)}
		if s.RequireFile.Executable {
			words = append(words, "executable")
		}
		w.call("require_file", words...)
	case s.RequireFreeSpace != nil:
		r := s.RequireFreeSpace
		w.call("free_space", text("path", r.Path), text("size", r.Size))
	case s.RequireMemory != nil:
		w.call("memory", text("size", s.RequireMemory.Size))
	case s.RequireMount != nil:
		w.call("mount", text("path", s.RequireMount.Path))
	case s.RequirePortFree != nil:
		w.call("port_free", text("port", s.RequirePortFree.Port))
	case s.RequireWritable != nil:
		w.call("writable", text("path", s.RequireWritable.Path))
	}
}

func quote(s string) string { return expr.QuoteShell(s) }

func octal(m plan.Mode) string { return fmt.Sprintf("%o", m) }

// seconds is how sleep takes a duration.
func seconds(d plan.Duration) string {
	if d%1000 == 0 {
		return fmt.Sprint(int64(d) / 1000)
	}
	return fmt.Sprintf("%d.%03d", int64(d)/1000, int64(d)%1000)
}

func (w *script) call(function string, words ...string) {
	w.use(function)
	fmt.Fprintf(&w.act, "%s %s\n", function, strings.Join(words, " "))
}
