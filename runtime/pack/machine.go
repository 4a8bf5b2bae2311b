package pack

import (
	"debug/elf"
	"fmt"
	"os"
	"strings"

	"recipe/runtime/contents"
)

// machines are what the programs of an architecture are made for. An architecture that is not here is not checked.
var machines = map[string]elf.Machine{
	"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64, "armhf": elf.EM_ARM, "i386": elf.EM_386, "loong64": elf.EM_LOONGARCH,
	"mips64el": elf.EM_MIPS, "mipsel": elf.EM_MIPS, "ppc64el": elf.EM_PPC64, "riscv64": elf.EM_RISCV, "s390x": elf.EM_S390,
}

// checkMachines refuses programs of another architecture than the package is labelled with: it would install, and not
// start.
func (o Options) checkMachines(sources *os.Root, files []contents.Entry) error {
	arch, err := o.arch()
	if err != nil {
		return err
	}
	want, known := machines[arch]
	if !known && arch != "all" {
		return nil
	}
	for _, c := range files {
		err := withProgram(sources, c.Source, func(program *elf.File) error {
			if known && program.Machine == want {
				return nil
			}
			machine := strings.TrimPrefix(program.Machine.String(), "EM_")
			return fmt.Errorf("%s is a program for %s, not for %s: have the build step make one for %s, or give the --arch that it is for", c.Source, machine, arch, arch)
		})
		if err != nil {
			return err
		}
	}
	return nil
}
