package pack

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"

	"recipe/runtime/contents"
)

// lintianOverrides tells Debian's judge that programs without a dynamic linker are meant: a package that brings all that
// it needs is what a standalone one is for. No such program, no file.
func (o Options) lintianOverrides(sources *os.Root, files []contents.Entry) ([]entry, error) {
	var lines strings.Builder
	for _, c := range files {
		static, err := staticProgram(sources, c.Source)
		if err != nil {
			return nil, err
		}
		if static {
			fmt.Fprintf(&lines, "%s: statically-linked-binary [%s]\n", o.Plan.Package.Name, c.Path[1:])
		}
	}
	if lines.Len() == 0 {
		return nil, nil
	}
	text := "# Meant: the package needs as little as it can of the host.\n" + lines.String()
	return []entry{{path: "/usr/share/lintian/overrides/" + o.Plan.Package.Name, mode: 0o644, data: []byte(text)}}, nil
}

func staticProgram(sources *os.Root, name string) (static bool, err error) {
	err = withProgram(sources, name, func(program *elf.File) error {
		static = program.Type == elf.ET_EXEC || program.Type == elf.ET_DYN
		for _, segment := range program.Progs {
			static = static && segment.Type != elf.PT_INTERP && segment.Type != elf.PT_DYNAMIC
		}
		return nil
	})
	return static, err
}

// withProgram calls use if the source is an ELF file. Directories and links have none.
func withProgram(sources *os.Root, name string, use func(*elf.File) error) error {
	if name == "" {
		return nil
	}
	f, _, err := openSource(sources, name)
	if err != nil {
		return err
	}
	defer f.Close()
	program, err := elf.NewFile(f)
	if err != nil { // it is something else
		return nil
	}
	return use(program)
}
