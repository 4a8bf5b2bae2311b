package driver

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unmapProgram gives back the pages of this program's own file that were needed to begin, 7 MiB of them: what is run again is
// mapped again from the page cache, sixteen pages at a time, in a microsecond. Only what the process cannot have written is
// touched.
func unmapProgram() {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return
	}
	defer f.Close()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return
	}
	for _, m := range readOnly(f, self) {
		_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED) // refused: it stays
	}
}

// mapping is a part of this process's memory.
type mapping struct{ start, end uintptr }

// readOnly finds, in what /proc/PID/smaps tells, the mappings of a file that cannot be written and hold no page of the
// process's own, which a mapping that was written before it was protected does.
func readOnly(smaps io.Reader, file string) (found []mapping) {
	var now mapping
	of := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 5 && !strings.HasSuffix(fields[0], ":") {
			from, to, _ := strings.Cut(fields[0], "-")
			start, errStart := strconv.ParseUint(from, 16, 64)
			end, errEnd := strconv.ParseUint(to, 16, 64)
			now = mapping{uintptr(start), uintptr(end)}
			of = errStart == nil && errEnd == nil && len(fields) == 6 && fields[5] == file && !strings.Contains(fields[1], "w")
		}
		if of && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" {
			found = append(found, now)
		}
	}
	return found
}
