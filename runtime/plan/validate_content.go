package plan

import (
	"fmt"
	"path"
	"strings"

	"recipe/runtime/expr"
)

func (c *checker) content(at string, f Content, seen map[string]string) {
	c.choice(at+".kind", "kind of content", string(f.Kind), string(ContentFile), string(ContentConfig), string(ContentTree), string(ContentDirectory), string(ContentSymlink))
	if err := expr.CheckPath(f.Path); err != nil {
		c.report(Problem{Path: at + ".path", Code: CodePath, Message: err.Error()})
	} else if f.Path == "/" {
		c.report(Problem{Path: at + ".path", Code: CodePath, Message: `"/" is there on every host, and cannot be part of a package`})
	}
	c.line(at+".path", f.Path)
	has := func(field, value string, kinds ...ContentKind) bool {
		for _, k := range kinds {
			if k == f.Kind {
				return true
			}
		}
		if value != "" {
			c.report(Problem{Path: at + "." + field, Code: CodeKind, Message: fmt.Sprintf("a %s has no %s", f.Kind, field), Found: fmt.Sprintf("%q", value)})
		}
		return false
	}
	if has("source", f.Source, ContentFile, ContentConfig, ContentTree) {
		if f.Source == "" {
			c.report(Problem{Path: at + ".source", Code: CodeMissing, Message: "the source is empty", Accepted: `a path from the recipe's folder, as in "dist/food"`})
		} else if err := CheckSource(f.Source); err != nil {
			c.report(Problem{Path: at + ".source", Code: CodePath, Message: err.Error(), Accepted: `a path from the recipe's folder, as in "dist/food"`})
		}
	}
	if has("target", f.Target, ContentSymlink) {
		c.contentTarget(at+".target", f.Target)
	}
	if has("exclude", strings.Join(f.Exclude, ", "), ContentTree) {
		for i, p := range f.Exclude {
			if _, err := path.Match(p, ""); err != nil || p == "" {
				c.report(Problem{Path: fmt.Sprintf("%s.exclude[%d]", at, i), Code: CodeText, Message: "this is no pattern of names", Found: fmt.Sprintf("%q", p), Accepted: `a shell pattern, as in "*.map" or "docs/*"`})
			}
		}
	}
	if has("owner", f.Owner, ContentFile, ContentConfig, ContentDirectory) {
		c.account(at+".owner", f.Owner)
	}
	if has("group", f.Group, ContentFile, ContentConfig, ContentDirectory) {
		c.account(at+".group", f.Group)
	}
	c.unique(at+".path", "file", f.Path, seen)
}

func (c *checker) contentTarget(at, target string) {
	c.line(at, target)
	err := error(nil)
	if strings.HasPrefix(target, "/") {
		err = expr.CheckPath(target)
	}
	if err != nil || target == "" {
		c.report(Problem{Path: at, Code: CodePath, Message: "this is no target of a link", Found: fmt.Sprintf("%q", target),
			Accepted: `a path, or a text that is relative to the link's folder, as in "releases/5"`})
	}
}
