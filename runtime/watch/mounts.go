package watch

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// mounts tells at first, and, at most once until that was taken, when something was mounted or unmounted: neither is a change
// of any directory. The kernel marks /proc/self/mountinfo then, which the poller hears.
func mounts() (told <-chan struct{}, end func()) {
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, func() {} // without /proc, the far look finds it
	}
	table := os.NewFile(uintptr(fd), "mountinfo")
	changed := make(chan struct{}, 1)
	go func() {
		conn, err := table.SyscallConn()
		if err != nil {
			return
		}
		_ = conn.Read(func(uintptr) bool {
			select {
			case changed <- struct{}{}:
			default:
			}
			return false
		})
	}()
	return changed, func() { table.Close() }
}

func mountTable() string {
	table, _ := os.ReadFile("/proc/self/mountinfo")
	return string(table)
}

var escapes = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)

// leadElsewhere reports whether one table of mounts has what the other has not, at one of these paths: nothing else decides
// where they lead.
func leadElsewhere(names map[string]bool, before, after string) bool {
	for _, two := range [][2]string{{before, after}, {after, before}} {
		for line := range strings.Lines(two[0]) {
			fields := strings.Fields(line) // the fifth is where it is mounted
			if len(fields) < 5 {
				continue
			}
			if _, ours := names[escapes.Replace(fields[4])]; ours && !strings.Contains(two[1], line) {
				return true
			}
		}
	}
	return false
}
