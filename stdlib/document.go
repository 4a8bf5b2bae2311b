package stdlib

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.starlark.net/syntax"
)

// Module is the documentation of a module, from its docstring and those of the functions that it exports.
type Module struct {
	Name      string     `json:"name"` // as load takes it: "@std//redis.star"
	Doc       string     `json:"doc"`
	Functions []Function `json:"functions"`
}

// Function is the documentation of one function.
type Function struct {
	Module    string `json:"module"`
	Name      string `json:"name"`
	Signature string `json:"signature"` // as it is defined: "http_ok(port, path = \"/\", **settings)"
	Doc       string `json:"doc"`       // with the parameters, without the example
	Example   string `json:"example"`   // a recipe that calls the function
}

// Summary is the first sentence of a text.
func Summary(doc string) string {
	line, _, _ := strings.Cut(doc, "\n")
	first, _, _ := strings.Cut(line, ". ")
	return strings.TrimSuffix(first, ".") + "."
}

// Modules documents all modules, sorted. An error is one of this package's own text.
func Modules() ([]Module, error) {
	var all []Module
	for _, name := range Names() {
		text, err := Read(name)
		if err != nil {
			return nil, err
		}
		m, err := document(name, text)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

func document(name string, text []byte) (Module, error) {
	f, err := (&syntax.FileOptions{}).Parse(name, text, 0)
	if err != nil {
		return Module{}, fmt.Errorf("cannot document %s: %w", name, err)
	}
	m := Module{Name: "@std//" + name, Doc: docstring(f.Stmts)}
	lines := strings.Split(string(text), "\n")
	for _, s := range f.Stmts {
		def, ok := s.(*syntax.DefStmt)
		if !ok || strings.HasPrefix(def.Name.Name, "_") {
			continue
		}
		doc, example, _ := strings.Cut(docstring(def.Body), "\n\nExample:\n")
		head := lines[def.Def.Line-1 : syntax.Start(def.Body[0]).Line-1]
		m.Functions = append(m.Functions, Function{Module: m.Name, Name: def.Name.Name, Signature: signature(head), Doc: doc, Example: strings.TrimSpace(dedent(example))})
	}
	for i := range m.Functions {
		m.Functions[i].Example = m.load(m.Functions[i].Example) + m.Functions[i].Example
	}
	return m, nil
}

// load is the statement that loads what the text calls, if that is anything.
func (m *Module) load(text string) string {
	names := []string{}
	for _, f := range m.Functions {
		if regexp.MustCompile(`\b` + f.Name + `\(`).MatchString(text) {
			names = append(names, strconv.Quote(f.Name))
		}
	}
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf("load(%q, %s)\n\n", m.Name, strings.Join(names, ", "))
}

// signature is what stands between def and the colon, on one line.
func signature(lines []string) string {
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.TrimSuffix(strings.TrimPrefix(strings.Join(lines, " "), "def "), ":")
}

// docstring is the text that a body begins with, without the white space that only lays it out; "" where there is none.
func docstring(body []syntax.Stmt) string {
	if s, ok := body[0].(*syntax.ExprStmt); ok {
		if text, ok := s.X.(*syntax.Literal); ok && text.Token == syntax.STRING {
			first, rest, _ := strings.Cut(text.Value.(string), "\n")
			return strings.TrimSpace(first + "\n" + dedent(rest))
		}
	}
	return ""
}

// dedent takes from each line the white space that all that say something begin with.
func dedent(text string) string {
	lines := strings.Split(text, "\n")
	margin := -1
	for _, line := range lines {
		if said := strings.TrimLeft(line, " "); said != "" && (margin < 0 || len(line)-len(said) < margin) {
			margin = len(line) - len(said)
		}
	}
	for i, line := range lines {
		lines[i] = line[min(max(margin, 0), len(line)):]
	}
	return strings.Join(lines, "\n")
}
