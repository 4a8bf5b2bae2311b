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
		{
			Name: "tree", run: runTree, Doc: "All that lies below a folder of the recipe, as files of the package: root's, 0755 where somebody may execute the file, else 0644. Links are kept if they lead to something in the tree.",
			Example: `site = tree("static", "/usr/share/foo/static", exclude = ["*.map"])`,
			Parameters: []Parameter{
				{Name: "source", Type: textType, Required: true, Positional: true, Doc: "a folder, by its path from the recipe's"},
				{Name: "path", Type: pathType, Required: true, Positional: true, Doc: "where it lies on a host"},
				{Name: "exclude", Type: textsType, Doc: "shell patterns of what is left out: with a slash, of paths in the tree; without, of names at any depth"},
				{Name: "mode", Type: modeType, Doc: "permission bits of all its files"},
			},
		},
	}
}
