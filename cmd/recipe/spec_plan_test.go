package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const planFolder = "../../runtime/plan"

// planType is a type of the plan: its documentation and its fields, in their order.
type planType struct {
	name   string
	doc    string
	fields []planField
}

type planField struct{ goName, json, typ, note string }

// TestSpecListsThePlan holds SPEC.md's tables of the plan's types to their declarations and to what these say of
// themselves.
func TestSpecListsThePlan(t *testing.T) {
	types, choices := planTypes(t)
	var b strings.Builder
	seen := map[string]bool{"Plan": true}
	for queue := []string{"Plan"}; len(queue) > 0; queue = queue[1:] {
		p := types[queue[0]]
		if p == nil {
			t.Fatalf("there is no type %s", queue[0])
		}
		p.write(&b, choices)
		for _, f := range p.fields {
			if inner := strings.TrimLeft(f.typ, "[]*"); types[inner] != nil && !seen[inner] {
				seen[inner] = true
				queue = append(queue, inner)
			}
		}
	}
	wantTable(t, "plan", "\n"+strings.TrimRight(b.String(), "\n")+"\n")
}

// planTypes reads the declarations: the structs by name, and the constants of each type of text.
func planTypes(t *testing.T) (map[string]*planType, map[string][]string) {
	t.Helper()
	types, choices := map[string]*planType{}, map[string][]string{}
	paths, err := filepath.Glob(planFolder + "/*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok {
				continue
			}
			for _, s := range g.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if fields, ok := s.Type.(*ast.StructType); ok {
						types[s.Name.Name] = structType(s, g, fields)
					}
				case *ast.ValueSpec:
					if of, ok := s.Type.(*ast.Ident); ok && g.Tok == token.CONST && len(s.Values) == 1 {
						if literal, ok := s.Values[0].(*ast.BasicLit); ok && literal.Kind == token.STRING {
							value, _ := strconv.Unquote(literal.Value)
							choices[of.Name] = append(choices[of.Name], value)
						}
					}
				}
			}
		}
	}
	return types, choices
}

func structType(s *ast.TypeSpec, g *ast.GenDecl, fields *ast.StructType) *planType {
	p := &planType{name: s.Name.Name, doc: cmp.Or(s.Doc.Text(), g.Doc.Text())}
	for _, f := range fields.Fields.List {
		if f.Tag == nil {
			continue
		}
		tag, _ := strconv.Unquote(f.Tag.Value)
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		for _, id := range f.Names {
			note := strings.TrimSpace(f.Comment.Text())
			if strings.Contains(options, "omit") {
				note = strings.TrimPrefix(note+"; may be absent", "; ")
			}
			p.fields = append(p.fields, planField{id.Name, name, typeText(f.Type), note})
		}
	}
	return p
}

func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.StarExpr:
		return "*" + typeText(e.X)
	case *ast.ArrayType:
		return "[]" + typeText(e.Elt)
	case *ast.SelectorExpr:
		return typeText(e.X) + "." + e.Sel.Name
	case *ast.MapType:
		return "map " + typeText(e.Value)
	}
	return fmt.Sprintf("%T", e)
}

// plainTypes are the types that the page explains elsewhere.
var plainTypes = map[string]string{"string": "text", "int": "int", "int64": "int", "bool": "bool", "float64": "number", "expr.Expr": "expression", "Duration": "duration", "Size": "size", "Mode": "mode"}

func (p *planType) write(b *strings.Builder, choices map[string][]string) {
	fmt.Fprintf(b, "**%s** %s\n\n| field | takes | |\n|---|---|---|\n", p.spelt(), p.prose())
	for _, f := range p.fields {
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", f.json, takes(f.typ, choices), cell(f.note))
	}
	b.WriteString("\n")
}

func cell(s string) string { return strings.ReplaceAll(s, "|", "\\|") }

func takes(typ string, choices map[string][]string) string {
	switch {
	case strings.HasPrefix(typ, "[]"):
		return "list of " + takes(typ[2:], choices)
	case strings.HasPrefix(typ, "*"):
		return takes(typ[1:], choices)
	case strings.HasPrefix(typ, "map "):
		return takes(typ[4:], choices) + " by name"
	case plainTypes[typ] != "":
		return plainTypes[typ]
	case choices[typ] != nil:
		return strings.Join(slices.DeleteFunc(slices.Clone(choices[typ]), func(s string) bool { return s == "" }), ", ")
	}
	return "**" + spelt(typ) + "**"
}

func (p *planType) spelt() string { return spelt(p.name) }

var capital = regexp.MustCompile(`([a-z])([A-Z])`)

func spelt(name string) string {
	return strings.ToLower(capital.ReplaceAllString(name, "$1 $2"))
}

// prose is the documentation in one paragraph, with fields by the names that they have in a plan.
func (p *planType) prose() string {
	text := strings.Join(strings.Fields(p.doc), " ")
	text = strings.TrimPrefix(text, p.name+" ")
	for _, f := range p.fields {
		text = regexp.MustCompile(`\b`+f.goName+`\b`).ReplaceAllString(text, "`"+f.json+"`")
	}
	return text
}
