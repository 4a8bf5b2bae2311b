package expr

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Host reads the facts of this machine: the sources are sched_getaffinity, /proc/meminfo and uname.
func Host() (Facts, error) {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return Facts{}, fmt.Errorf("cannot read the host's name: %w", err)
	}
	memory, err := memTotal()
	if err != nil {
		return Facts{}, fmt.Errorf("cannot read the host's memory: %w", err)
	}
	return Facts{
		CPUs:   int64(runtime.NumCPU()),
		Memory: memory,
		Name:   unix.ByteSliceToString(name.Nodename[:]),
		Arch:   unix.ByteSliceToString(name.Machine[:]),
	}, nil
}

func memTotal() (int64, error) {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) == 3 && fields[0] == "MemTotal:" && fields[2] == "kB" {
			kib, err := strconv.ParseInt(fields[1], 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("no MemTotal in /proc/meminfo")
}

// Set gives a fact another value, as an author writes it: cpus a number, memory a size, name and arch texts. The error
// names the facts there are.
func (f *Facts) Set(name, text string) (err error) {
	switch name {
	case "cpus":
		if f.CPUs, err = strconv.ParseInt(text, 10, 32); err != nil || f.CPUs < 1 {
			err = fmt.Errorf("cannot set host.cpus: %q is no number of CPUs", text)
		}
	case "memory":
		if f.Memory, err = ParseSize(text); err != nil {
			err = fmt.Errorf("cannot set host.memory: %w", err)
		}
	case "name":
		f.Name = text
	case "arch":
		f.Arch = text
	default:
		err = fmt.Errorf("cannot set host.%s: a host has the facts cpus, memory, name and arch", name)
	}
	return err
}
