package watch

import (
	"os"

	"golang.org/x/sys/unix"
)

// mounts tells, at most once until that was taken, that something was mounted or unmounted: neither is a change of any
// directory. The kernel marks /proc/self/mountinfo then, which the poller hears.
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
		first := true
		_ = conn.Read(func(uintptr) bool {
			if !first {
				select {
				case changed <- struct{}{}:
				default:
				}
			}
			first = false
			return false
		})
	}()
	return changed, func() { table.Close() }
}
