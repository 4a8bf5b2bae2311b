package repl

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"recipe/builtins/diag"
	"recipe/interp"
	"recipe/runtime/plan"
)

// Session is one author's. Its methods may be called by several goroutines.
type Session struct {
	backend Backend
	style   diag.Style

	mu       sync.Mutex
	file     string // the recipe, or "" without one
	source   []byte
	chunks   []interp.Chunk
	entered  int // chunks so far, for their names
	answer   interp.SessionAnswer
	baseline *plan.Plan // of the last load
	host     Host
	failed   bool
}

// New begins a session with a recipe, or with none where file is empty. Diagnostics are shown in that style.
func New(backend Backend, file string, style diag.Style) *Session {
	return &Session{backend: backend, style: style, file: file, host: Host{Facts: map[string]string{}}}
}

// Reply is what one input came to: what to show, and whether the session is over.
type Reply struct {
	Text  string
	Error bool
	End   bool
}

func answered(text string) Reply { return Reply{Text: text} }

func failed(text string) Reply { return Reply{Text: text, Error: true} }

// Failed reports whether an input has failed.
func (s *Session) Failed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// Do takes one input: a command, a question about a word, an expression, or statements.
func (s *Session) Do(ctx context.Context, input string) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.do(ctx, input)
	s.failed = s.failed || r.Error
	return r
}

func (s *Session) do(ctx context.Context, input string) Reply {
	trimmed := strings.TrimSpace(input)
	switch {
	case trimmed == "":
		return Reply{}
	case !utf8.ValidString(input): // the way to an evaluation is JSON, which would put another character there
		return failed("an input is text in UTF-8, and this is none")
	case strings.HasPrefix(trimmed, ":"):
		return s.command(ctx, trimmed[1:])
	case strings.HasPrefix(trimmed, "?"):
		return s.doc(strings.TrimSpace(trimmed[1:]))
	case strings.HasSuffix(trimmed, "?"):
		return s.doc(strings.TrimSpace(strings.TrimSuffix(trimmed, "?")))
	}
	return s.enter(ctx, strings.TrimRight(input, " \t\n")+"\n")
}

// Load reads the recipe, and begins anew with it where it can be evaluated; what was typed since is kept where it still
// fits.
func (s *Session) Load(ctx context.Context) Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.load(ctx)
	s.failed = s.failed || r.Error
	return r
}

func (s *Session) load(ctx context.Context) Reply {
	var source []byte
	if s.file != "" {
		var err error
		if source, err = s.backend.Read(s.file); err != nil {
			return failed(fmt.Sprintf("cannot read %s: %v", s.file, err))
		}
	}
	answer, err := s.evaluate(ctx, source, s.chunks)
	kept := s.chunks
	if err == nil && answer.Diagnostics.Failed() && len(s.chunks) > 0 {
		kept = nil
		answer, err = s.evaluate(ctx, source, nil)
	}
	switch {
	case err != nil:
		return failed(err.Error())
	case answer.Diagnostics.Failed():
		return failed(answer.Diagnostics.Text(s.style))
	}
	text := ""
	if len(kept) < len(s.chunks) {
		text = "what was typed does not fit the recipe any longer, and is dropped; :show shows what is left\n"
	}
	text += fresh(answer.Diagnostics, s.answer.Diagnostics).Text(s.style)
	baseline := decoded(answer.Plan)
	if s.baseline != nil && baseline != nil {
		changes, err := s.backend.Diff(s.baseline, baseline)
		if err != nil {
			return failed(err.Error())
		}
		text += changes
	}
	s.source, s.chunks, s.answer, s.baseline = source, kept, answer, baseline
	return answered(text)
}

func (s *Session) evaluate(ctx context.Context, source []byte, chunks []interp.Chunk) (interp.SessionAnswer, error) {
	name := s.file
	if name == "" {
		name = "session.star"
	}
	return s.backend.Evaluate(ctx, interp.SessionQuestion{Name: name, Source: source, Chunks: chunks})
}

// enter evaluates a chunk with all before it, and accepts it if that goes well. One that gives the names which an earlier
// one gave takes its place, so that what was made of them follows; where it cannot stand there, since it names what
// came later, it comes last.
func (s *Session) enter(ctx context.Context, text string) Reply {
	chunk := interp.Chunk{Name: fmt.Sprintf("input %d", s.entered+1), Text: text}
	s.entered++
	chunks := append(slices.Clone(s.chunks), chunk)
	answer, err := s.evaluate(ctx, s.source, chunks)
	if at := s.placeOf(text); at >= 0 {
		instead := slices.Clone(s.chunks)
		instead[at] = chunk
		if there, failure := s.evaluate(ctx, s.source, instead); failure == nil && !there.Diagnostics.Failed() {
			chunks, answer, err = instead, there, nil
		}
	}
	if err != nil {
		return failed(err.Error())
	}
	if answer.Diagnostics.Failed() {
		return failed(errorsOf(answer.Diagnostics).Text(s.style))
	}
	shown := fresh(answer.Diagnostics, s.answer.Diagnostics).Text(s.style)
	if answer.Value != "" {
		shown += answer.Value + "\n"
	}
	looked := interp.IsExpression(text) && bytes.Equal(answer.Plan, s.answer.Plan) && bytes.Equal(answer.State, s.answer.State)
	if !looked { // what only looks is not kept
		s.chunks = chunks
	}
	s.answer = answer
	return answered(shown)
}

// placeOf is the chunk that gives the names which a text gives, or -1.
func (s *Session) placeOf(text string) int {
	names := interp.Given(text)
	if len(names) == 0 {
		return -1
	}
	return slices.IndexFunc(s.chunks, func(c interp.Chunk) bool { return slices.Equal(interp.Given(c.Text), names) })
}

func decoded(encoded []byte) *plan.Plan {
	if encoded == nil {
		return nil
	}
	p, err := plan.Decode(encoded)
	if err != nil {
		return nil
	}
	return p
}

// fresh are the diagnostics that were not there before, so that a warning is said once.
func fresh(list, before diag.List) diag.List {
	return slices.DeleteFunc(slices.Clone(list), func(d diag.Diagnostic) bool {
		return slices.ContainsFunc(before, func(o diag.Diagnostic) bool {
			return o.Code == d.Code && o.At == d.At && o.Message == d.Message
		})
	})
}

func errorsOf(list diag.List) diag.List {
	return slices.DeleteFunc(slices.Clone(list), func(d diag.Diagnostic) bool { return d.Severity == diag.Warning })
}
