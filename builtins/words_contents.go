package builtins

// ownership is the parameters of what lies on a disk; otherwise is who owns it when nothing is said.
func ownership(mode int, otherwise string) []Parameter {
	return []Parameter{
		{Name: "mode", Type: modeType, Default: number(mode), Doc: "permission bits"},
		{Name: "owner", Type: accountType, Doc: "whose it is; " + otherwise},
		{Name: "group", Type: textType, Doc: "whose it is; " + otherwise},
	}
}

func contents() []Word {
	content := func(name, doc, example string) Word {
		return Word{Name: name, run: runContent, Doc: doc, Example: example, Parameters: append([]Parameter{
			{Name: "source", Type: textType, Required: true, Positional: true, Doc: "a path from the recipe's folder"},
			{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "where it lies on a host"},
		}, ownership(0o644, "root's unless given")...)}
	}
	return []Word{
		content("file", "A file of the package. Its handle is a path wherever one is wanted.", `food = file("dist/food", "/usr/lib/foo/bin/food", mode = 0o755)`),
		content("config", "A file of the package that is kept as edited when the package is upgraded.", `conf = config("foo.conf", "/etc/foo/foo.conf")`),
	}
}
