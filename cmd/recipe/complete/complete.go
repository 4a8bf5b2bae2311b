// Package complete says how a command line that is being typed may go on.
//
// Rules:
//   - The command line's own model is the source: verbs, flags, enumerations. What only the program knows, such as the
//     services that run, comes from a Source that the caller gives for the name of an argument or a flag.
//   - A candidate is a whole word. Those that do not begin as the typed one are left out.
//   - Nothing is written, and a source that fails gives nothing: a completion never disturbs a line.
//
// Scripts for bash, zsh and fish lie in scripts/. They call the program with the words of the line and show what comes
// back, so that there is no list to go stale. Tests: a table of lines, and the three shells themselves.
package complete

import (
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// Candidate is one word that may stand where the cursor is. Help may be empty.
type Candidate struct {
	Word, Help string
}

// Answer is how a line may go on. Files asks the shell for file names as well, Folders for folders alone.
type Answer struct {
	Candidates     []Candidate
	Files, Folders bool
}

// Line is what a Source is given: the verb, the words typed so far by the name of their argument or flag, and the word
// that is being typed.
type Line struct {
	Verb  string
	Given map[string][]string
	Word  string
}

// Source gives the values of an argument or a flag.
type Source func(Line) Answer

// Complete answers for the words behind the program's name, the last of which is being typed and may be empty. Sources
// are by the name of an argument or of a flag.
func Complete(app *kong.Node, words []string, sources map[string]Source) Answer {
	if len(words) == 0 {
		words = []string{""}
	}
	r := &reader{node: app, sources: sources, line: Line{Given: map[string][]string{}, Word: words[len(words)-1]}}
	for _, w := range words[:len(words)-1] {
		r.take(w)
	}
	return r.answer().matching(r.line.Word)
}

// reader follows a line through the model.
type reader struct {
	node    *kong.Node
	sources map[string]Source
	line    Line
	places  int        // positional arguments taken
	open    *kong.Flag // whose value comes next
	plain   bool       // behind --
}

func (r *reader) take(word string) {
	switch {
	case r.open != nil:
		r.line.Given[r.open.Name] = append(r.line.Given[r.open.Name], word)
		r.open = nil
	case r.plain || !strings.HasPrefix(word, "-") || word == "-":
		r.argument(word)
	case word == "--":
		r.plain = true
	default:
		name, value, given := strings.Cut(word, "=")
		flag := r.flag(name)
		switch {
		case flag == nil || flag.IsBool():
		case given:
			r.line.Given[flag.Name] = append(r.line.Given[flag.Name], value)
		default:
			r.open = flag
		}
	}
}

func (r *reader) argument(word string) {
	for _, child := range r.node.Children {
		if child.Name == word && child.Type == kong.CommandNode {
			r.node, r.line.Verb, r.places = child, strings.TrimSpace(r.line.Verb+" "+word), 0
			return
		}
	}
	if p := r.positional(); p != nil {
		r.line.Given[p.Name] = append(r.line.Given[p.Name], word)
	}
	r.places++
}

// positional is the argument at this place; the last of a verb may take all that follow.
func (r *reader) positional() *kong.Positional {
	switch list := r.node.Positional; {
	case r.places < len(list):
		return list[r.places]
	case len(list) > 0 && list[len(list)-1].IsCumulative():
		return list[len(list)-1]
	}
	return nil
}

func (r *reader) flag(name string) *kong.Flag {
	for _, f := range r.flags() {
		if "--"+f.Name == name || f.Short != 0 && "-"+string(f.Short) == name {
			return f
		}
	}
	return nil
}

func (r *reader) flags() []*kong.Flag { return slices.Concat(r.node.AllFlags(true)...) }

func (r *reader) answer() Answer {
	word := r.line.Word
	switch name, value, given := strings.Cut(word, "="); {
	case r.open != nil:
		return r.value(r.open.Value)
	case !r.plain && strings.HasPrefix(word, "--") && given:
		flag := r.flag(name)
		if flag == nil || flag.IsBool() {
			return Answer{}
		}
		r.line.Word = value
		a := r.value(flag.Value)
		for i := range a.Candidates {
			a.Candidates[i].Word = name + "=" + a.Candidates[i].Word
		}
		r.line.Word = word
		return a
	case !r.plain && strings.HasPrefix(word, "-"):
		return r.flagNames()
	case len(r.node.Children) > 0:
		return r.verbs()
	}
	if p := r.positional(); p != nil {
		return r.value(p)
	}
	return Answer{}
}

func (r *reader) value(v *kong.Value) Answer {
	if v.Enum != "" {
		var a Answer
		for _, word := range v.EnumSlice() {
			a.Candidates = append(a.Candidates, Candidate{Word: word})
		}
		return a
	}
	if source := r.sources[v.Name]; source != nil {
		return source(r.line)
	}
	return Answer{}
}

func (r *reader) flagNames() (a Answer) {
	for _, f := range r.flags() {
		word := "--" + f.Name
		if !f.IsBool() {
			word += "="
		}
		a.Candidates = append(a.Candidates, Candidate{word, f.Help})
	}
	return a
}

func (r *reader) verbs() (a Answer) {
	for _, child := range r.node.Children {
		if !child.Hidden {
			a.Candidates = append(a.Candidates, Candidate{child.Name, child.Help})
		}
	}
	return a
}

// matching leaves out what does not begin as the typed word.
func (a Answer) matching(word string) Answer {
	a.Candidates = slices.DeleteFunc(a.Candidates, func(c Candidate) bool { return !strings.HasPrefix(c.Word, word) })
	return a
}
