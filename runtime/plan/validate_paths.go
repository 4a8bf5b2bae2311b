package plan

import (
	"fmt"
	"path"
	"reflect"

	"recipe/runtime/expr"
)

// occupant is what one path of a host is given to: a file of the package, or a directory or file of a step.
type occupant struct {
	path, field, kind string
	thing             any // equal things in two services do not disturb each other
}

// mostOccupants bounds the paths that are compared; a plan that a person wrote has fewer.
const mostOccupants = 10_000

// occupants lists the paths that are known without a host, in the order of the plan.
func (p *Plan) occupants() []occupant {
	var list []occupant
	add := func(e expr.Expr, field, kind string, thing any) {
		if e.Op == expr.OpPath && len(list) < mostOccupants {
			list = append(list, occupant{e.Text, field, kind, thing})
		}
	}
	if p.Package != nil {
		for i, f := range p.Package.Contents {
			add(expr.PathOf(f.Path), fmt.Sprintf("package.contents[%d].path", i), kindOf(f), f)
		}
	}
	steps := func(at string, prepare []Step) {
		for i, s := range prepare {
			at := fmt.Sprintf("%s.prepare[%d]", at, i)
			switch {
			case s.Directory != nil:
				add(s.Directory.Path, at+".directory.path", "directory", *s.Directory)
			case s.Template != nil:
				add(s.Template.Path, at+".template.path", "template", *s.Template)
			case s.Copy != nil:
				add(s.Copy.Path, at+".copy.path", "copy", *s.Copy)
			case s.Symlink != nil:
				add(s.Symlink.Path, at+".symlink.path", "link", *s.Symlink)
			}
		}
	}
	for i, s := range p.Services {
		steps(fmt.Sprintf("services[%d]", i), s.Prepare)
	}
	for i, t := range p.Tasks {
		steps(fmt.Sprintf("tasks[%d]", i), t.Prepare)
	}
	return list
}

// kindOf names what a file of the package is, in the words of steps.
func kindOf(f Content) string {
	switch f.Kind {
	case ContentFile, ContentConfig:
		return "file"
	case ContentSymlink:
		return "link"
	}
	return "directory"
}

func ofPackage(o occupant) bool {
	_, ok := o.thing.(Content)
	return ok
}

// conflicts refuses paths that two things claim, and things below what is a file. Two things of the package at one path
// are a duplicate, which content reports.
func (c *checker) conflicts() {
	first := map[string]occupant{}
	list := c.plan.occupants()
	for _, o := range list {
		before, taken := first[o.path]
		switch {
		case !taken:
			first[o.path] = o
		case ofPackage(o) && ofPackage(before) || reflect.DeepEqual(o.thing, before.thing):
		case o.kind == before.kind && reflect.TypeOf(o.thing) != reflect.TypeOf(before.thing): // a directory that a step gives to its owner
		case o.kind != before.kind:
			c.conflict(o, before, fmt.Sprintf("%q is a %s here, and a %s already", o.path, o.kind, before.kind), "give one of them a path of its own")
		default:
			c.conflict(o, before, fmt.Sprintf("two steps write %q, each in its own way: every start would change it", o.path), "make it once, and name its handle in both places")
		}
	}
	for _, o := range list {
		for dir := path.Dir(o.path); dir != "/" && dir != "."; dir = path.Dir(dir) {
			if above, taken := first[dir]; taken && above.kind != "directory" && above.kind != "link" {
				c.conflict(o, above, fmt.Sprintf("%q lies below %q, which is a file", o.path, dir), "a file holds no others: choose another path for one of them")
				break
			}
		}
	}
}

func (c *checker) conflict(o, before occupant, message, hint string) {
	c.report(Problem{Path: o.field, Code: CodeConflict, Message: message, Hint: hint, Related: []Place{{before.field, "the " + before.kind}}})
}
