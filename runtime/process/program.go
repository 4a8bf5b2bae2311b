package process

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// UnmapProgram gives back the pages of this program's own file that were needed to begin, 7 MiB of a supervisor's: what is run
// again is mapped again from the page cache, sixteen pages at a time, in a microsecond. Only what the process cannot have
// written is touched.
func UnmapProgram() {
	for _, m := range ownMappings() {
		if m.program {
			_, _, _ = unix.Syscall(unix.SYS_MADVISE, m.start, m.end-m.start, unix.MADV_DONTNEED) // refused: it stays
		}
	}
}

// mapping is a part of this process's memory, of one of two kinds.
type mapping struct {
	start, end uintptr
	program    bool // of its file, cannot be written, and holds no page of the process's own
	nameless   bool // of no file
}

func ownMappings() []mapping {
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		return nil
	}
	defer f.Close()
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return nil
	}
	return readMappings(f, self)
}

// readMappings finds them in what /proc/PID/smaps tells. A mapping that was written before it was protected holds pages of the
// process's own, which it would lose.
func readMappings(smaps io.Reader, file string) (found []mapping) {
	var now mapping
	of := false
	lines := bufio.NewScanner(smaps)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) >= 5 && !strings.HasSuffix(fields[0], ":") {
			from, to, _ := strings.Cut(fields[0], "-")
			start, errStart := strconv.ParseUint(from, 16, 64)
			end, errEnd := strconv.ParseUint(to, 16, 64)
			sound := errStart == nil && errEnd == nil
			now = mapping{start: uintptr(start), end: uintptr(end)}
			of = sound && len(fields) == 6 && fields[5] == file && !strings.Contains(fields[1], "w")
			if sound && len(fields) == 5 {
				now.nameless = true
				found = append(found, now)
			}
		}
		if of && len(fields) == 3 && fields[0] == "Anonymous:" && fields[1] == "0" {
			now.program = true
			found = append(found, now)
		}
	}
	return found
}
