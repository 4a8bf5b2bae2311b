package process

import (
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// controllers are those that limits of a tree need.
var controllers = [...]string{"memory", "cpu", "pids"}

// supervisorName is the cgroup below a delegated one that the supervisor itself lives in.
const supervisorName = "supervisor"

// settle makes room for controllers, where an init gave us a cgroup to do with as we like (Delegate= of systemd): the kernel
// gives them to leaves only below a cgroup without processes. We and our children move aside, and nobody else: where strangers
// share the cgroup, there are no controllers. It returns the folder for leaves; where anything of this fails, they are made
// all the same, and what they cannot bound is noted.
func settle(own string) string {
	if above := filepath.Dir(own); filepath.Base(own) == supervisorName && delegated(above) {
		return above // we did this before, and became what we are now by exec
	}
	if !delegated(own) {
		return own
	}
	aside := filepath.Join(own, supervisorName)
	if err := os.Mkdir(aside, 0o755); err != nil && !os.IsExist(err) {
		return own
	}
	ours, _ := children(os.Getpid())
	for _, pid := range append(ours, os.Getpid()) {
		_ = os.WriteFile(filepath.Join(aside, "cgroup.procs"), []byte(strconv.Itoa(pid)), 0)
	}
	for _, controller := range controllers {
		_ = os.WriteFile(filepath.Join(own, "cgroup.subtree_control"), []byte("+"+controller), 0)
	}
	return own
}

// delegated reads the mark that systemd leaves on what it gave away.
func delegated(folder string) bool {
	for _, name := range []string{"trusted.delegate", "user.delegate"} {
		var value [2]byte
		if n, err := unix.Getxattr(folder, name, value[:]); err == nil && n == 1 && value[0] == '1' {
			return true
		}
	}
	return false
}
