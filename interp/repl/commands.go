package repl

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"recipe/interp"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
)

// command is what an input that begins with a colon may be.
type command struct {
	name, arguments, help string
	run                   func(*Session, context.Context, string) Reply
}

// commands lists them in the order of the help.
func commands() []command {
	return []command{
		{"help", "", "this list", func(*Session, context.Context, string) Reply { return answered(helpText()) }},
		{"doc", "WORD", "explain a word or a code; WORD? does so too", func(s *Session, _ context.Context, word string) Reply { return s.doc(word) }},
		{"plan", "[NAME]", "the plan so far as JSON, or a service, task or flag of it", (*Session).plan},
		{"diff", "", "what the session has changed since the recipe was loaded, and what that would do", (*Session).diff},
		{"host", "[FACT=VALUE...]", "set facts of the host to resolve under: cpus=4 memory=8GiB; alone, show them", (*Session).facts},
		{"set", "[FLAG=VALUE...]", "set flags to resolve under; alone, show them", (*Session).sets},
		{"resolve", "EXPRESSION", "compute an expression under these facts and flags", (*Session).resolve},
		{"service", "[NAME]", "what a service is started with, under these facts and flags", (*Session).service},
		{"prepare", "[NAME]", "what the preparation of a service would change on this machine; nothing is changed", (*Session).prepare},
		{"probe", "[NAME]", "ask a service for real", (*Session).probe},
		{"show", "", "what was typed and accepted", (*Session).show},
		{"undo", "", "take the last of it back", (*Session).undo},
		{"load", "[FILE]", "load the recipe again, or another one; a changed file is loaded by itself", (*Session).reload},
		{"write", "FILE", "write the recipe with what was typed to a new file", (*Session).write},
		{"quit", "", "end the session", func(*Session, context.Context, string) Reply { return Reply{End: true} }},
	}
}

func helpText() string {
	var b strings.Builder
	b.WriteString("Statements and expressions of the language, blocks ended by an empty line, and:\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-24s %s\n", strings.TrimSpace(":"+c.name+" "+c.arguments), c.help)
	}
	return b.String()
}

func (s *Session) command(ctx context.Context, text string) Reply {
	name, arguments, _ := strings.Cut(strings.TrimSpace(text), " ")
	var names []string
	for _, c := range commands() {
		if c.name == name {
			return c.run(s, ctx, strings.TrimSpace(arguments))
		}
		names = append(names, c.name)
	}
	hint := plan.Nearest(name, names)
	if hint == "" {
		hint = ":help lists them"
	}
	return failed(fmt.Sprintf("there is no command %q; %s", ":"+name, hint))
}

func (s *Session) doc(word string) Reply {
	for _, n := range s.answer.Names {
		if n.Name == word {
			return answered(n.Name + ": " + n.About + "\n")
		}
	}
	text, err := s.backend.Doc(word)
	if err != nil {
		return failed(err.Error())
	}
	return answered(text)
}

// current is the plan so far.
func (s *Session) current() (*plan.Plan, *Reply) {
	p := decoded(s.answer.Plan)
	if p == nil {
		r := failed("there is no plan yet: declare a service, or load a recipe")
		return nil, &r
	}
	return p, nil
}

func (s *Session) plan(_ context.Context, name string) Reply {
	p, none := s.current()
	if none != nil {
		return *none
	}
	var part any = p
	if name != "" {
		part = nil
		for i := range p.Services {
			if p.Services[i].Name == name {
				part = p.Services[i]
			}
		}
		for i := range p.Tasks {
			if p.Tasks[i].Name == name {
				part = p.Tasks[i]
			}
		}
		if f := p.Flag(name); f != nil && part == nil {
			part = f
		}
		if part == nil {
			return failed(fmt.Sprintf("the plan has no service, task or flag %q", name))
		}
	}
	var b strings.Builder
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(part); err != nil {
		return failed(err.Error())
	}
	return answered(escaped(b.String()))
}

// escaped writes what a terminal would take for a command, or turn a line around for, as JSON does what it must.
func escaped(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "\\u%04x", unit)
			}
		}
	}
	return b.String()
}

func (s *Session) diff(context.Context, string) Reply {
	p, none := s.current()
	if none != nil {
		return *none
	}
	before := s.baseline
	if before == nil {
		return failed("there is nothing to compare with: the session began with no recipe")
	}
	text, err := s.backend.Diff(before, p)
	if err != nil {
		return failed(err.Error())
	}
	return answered(text)
}

func (s *Session) facts(_ context.Context, arguments string) Reply {
	next := Host{Facts: maps.Clone(s.host.Facts), Sets: s.host.Sets}
	for _, word := range strings.Fields(arguments) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return failed(fmt.Sprintf("%q is not FACT=VALUE, as in cpus=4", word))
		}
		if value == "" {
			delete(next.Facts, name)
			continue
		}
		next.Facts[name] = value
	}
	if err := s.backend.Facts(next); err != nil {
		return failed(err.Error())
	}
	s.host = next
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(next.Facts)) {
		fmt.Fprintf(&b, "host.%s is %s\n", name, next.Facts[name])
	}
	if b.Len() == 0 {
		b.WriteString("the facts are this machine's\n")
	}
	return answered(b.String())
}

func (s *Session) sets(_ context.Context, arguments string) Reply {
	next := slices.Clone(s.host.Sets)
	for _, word := range strings.Fields(arguments) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			return failed(fmt.Sprintf("%q is not FLAG=VALUE, as in port=8080", word))
		}
		next = slices.DeleteFunc(next, func(set string) bool { return strings.HasPrefix(set, name+"=") })
		if value != "" {
			next = append(next, word)
		}
	}
	s.host.Sets = next
	if len(next) == 0 {
		return answered("every flag has its default\n")
	}
	return answered(strings.Join(next, "\n") + "\n")
}

func (s *Session) resolve(ctx context.Context, text string) Reply {
	if text == "" {
		return failed("name an expression: :resolve host.cpus * 2")
	}
	chunk := interp.Chunk{Name: "expression", Text: text + "\n"}
	answer, err := s.evaluate(ctx, s.source, append(slices.Clone(s.chunks), chunk))
	switch {
	case err != nil:
		return failed(err.Error())
	case answer.Diagnostics.Failed():
		return failed(errorsOf(answer.Diagnostics).Text(s.style))
	case answer.Expr == nil:
		return failed("this is no value that a host computes: it is a text, a number, a truth value, a path, a flag, a fact or what is made of them")
	}
	var e expr.Expr
	if err := json.Unmarshal(answer.Expr, &e); err != nil {
		return failed(err.Error())
	}
	p := decoded(answer.Plan)
	if p == nil {
		p = &plan.Plan{}
	}
	value, err := s.backend.Resolve(p, e, s.host)
	if err != nil {
		return failed(err.Error())
	}
	return answered(value + "\n")
}

// about runs a command that concerns a service of the plan: the named one, or the only one.
func (s *Session) about(name string, ask func(p *plan.Plan, service string) (string, error)) Reply {
	p, none := s.current()
	if none != nil {
		return *none
	}
	if name == "" {
		if len(p.Services) != 1 {
			var names []string
			for i := range p.Services {
				names = append(names, p.Services[i].Name)
			}
			return failed("name a service: " + strings.Join(names, ", "))
		}
		name = p.Services[0].Name
	}
	if p.Service(name) == nil {
		return failed(fmt.Sprintf("the plan has no service %q", name))
	}
	text, err := ask(p, name)
	if err != nil {
		return failed(err.Error())
	}
	return answered(text)
}

func (s *Session) service(_ context.Context, name string) Reply {
	return s.about(name, func(p *plan.Plan, service string) (string, error) { return s.backend.Service(p, service, s.host) })
}

func (s *Session) prepare(_ context.Context, name string) Reply {
	return s.about(name, func(p *plan.Plan, service string) (string, error) { return s.backend.Prepare(p, service, s.host) })
}

func (s *Session) probe(ctx context.Context, name string) Reply {
	return s.about(name, func(p *plan.Plan, service string) (string, error) {
		return s.backend.Probe(ctx, p, service, s.host)
	})
}

func (s *Session) show(context.Context, string) Reply {
	var b strings.Builder
	for _, c := range s.chunks {
		b.WriteString(c.Text)
	}
	return answered(b.String())
}

func (s *Session) undo(ctx context.Context, _ string) Reply {
	if len(s.chunks) == 0 {
		return failed("nothing was typed that could be taken back")
	}
	taken := s.chunks[len(s.chunks)-1]
	answer, err := s.evaluate(ctx, s.source, s.chunks[:len(s.chunks)-1])
	if err != nil {
		return failed(err.Error())
	}
	s.chunks, s.answer = s.chunks[:len(s.chunks)-1], answer
	return answered("taken back: " + strings.TrimRight(taken.Text, "\n") + "\n")
}

func (s *Session) reload(ctx context.Context, file string) Reply {
	if file == "" && s.file == "" {
		return failed("name a recipe: :load FILE")
	}
	before := *s.state()
	if file != "" && file != s.file {
		s.file, s.chunks, s.baseline = file, nil, nil
	}
	r := s.load(ctx)
	if r.Error {
		s.restore(&before)
	}
	return r
}

// state is what a load changes.
type state struct {
	file     string
	source   []byte
	chunks   []interp.Chunk
	answer   interp.SessionAnswer
	baseline *plan.Plan
}

func (s *Session) state() *state { return &state{s.file, s.source, s.chunks, s.answer, s.baseline} }

func (s *Session) restore(t *state) {
	s.file, s.source, s.chunks, s.answer, s.baseline = t.file, t.source, t.chunks, t.answer, t.baseline
}

func (s *Session) write(_ context.Context, file string) Reply {
	if file == "" {
		return failed("name a new file: :write FILE")
	}
	text := string(s.source)
	for _, c := range s.chunks {
		text += "\n" + c.Text
	}
	if err := s.backend.Write(file, text); err != nil {
		return failed(err.Error())
	}
	return answered("wrote " + file + "\n")
}
