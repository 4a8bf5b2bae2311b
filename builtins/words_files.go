package builtins

import (
	"go.starlark.net/starlark"
)

func files() []Word {
	return []Word{{
		Name: "read", run: runRead, Doc: "The text of a file in the recipe's folder, which the plan names among its inputs: a change of the file is a change of the recipe.",
		Example: `motd = template("/run/foo/motd", read("motd.txt"))`,
		Parameters: []Parameter{
			{Name: "path", Type: textType, Required: true, Positional: true, Doc: `from the folder of the file that says it, or from the recipe's with // in front; UTF-8`},
		},
	}}
}

func runRead(r *Recording, a *arguments) starlark.Value {
	path, ok := a.values[a.index("path")].(string)
	if !ok {
		return unknown{}
	}
	content, fault := r.ReadText(path, a.call.Site.Pos.Filename())
	if fault != nil {
		r.report(a.call, Whole("path"), *fault)
		return unknown{}
	}
	return starlark.String(content)
}
