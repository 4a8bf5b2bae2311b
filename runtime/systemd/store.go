package systemd

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// The init may keep descriptors for the next process of the unit (FileDescriptorStoreMax= of systemd), which finds them from
// 3 on. $FDSTORE says how many; systemd sets it since 254, and a unit may for those before.
const (
	storeSize    = "FDSTORE"
	listenCount  = "LISTEN_FDS"
	listenPID    = "LISTEN_PID"
	listenNames  = "LISTEN_FDNAMES"
	firstHanded  = 3
	mostHanded   = 1 << 20
	namesNothing = "stored" // what systemd calls a descriptor without a name
)

// Stores reports whether the init keeps descriptors.
func (i *Init) Stores() bool { return i != nil && i.stores }

// Keep has the init keep a descriptor by a name, in place of what it keeps by it: printable ASCII without a colon, at most 255
// bytes. The file stays the caller's.
func (i *Init) Keep(name string, fd int) error {
	if err := i.Forget(name); err != nil {
		return err
	}
	if err := i.send("FDSTORE=1\nFDPOLL=0\nFDNAME="+name, []int{fd}); err != nil {
		return fmt.Errorf("cannot have the init keep %s: %w", name, err)
	}
	return nil
}

// Forget has the init close what it keeps by a name.
func (i *Init) Forget(name string) error {
	if !i.Stores() {
		return errors.New("the init keeps nothing")
	}
	if err := i.send("FDSTOREREMOVE=1\nFDNAME="+name, nil); err != nil {
		return fmt.Errorf("cannot have the init forget %s: %w", name, err)
	}
	return nil
}

// Kept returns the descriptors that the init kept of an earlier process, by name, once: they are the caller's from then on.
// What it kept twice by one name was closed, since nobody knows which is meant.
func (i *Init) Kept() map[string]int {
	if i == nil {
		return nil
	}
	kept := i.kept
	i.kept = nil
	return kept
}

// takeHanded takes the descriptors that the variables speak of, where those are for this process. No os.File is made of one: it
// might change what it shares with a daemon.
func takeHanded() map[string]int {
	count, pid, names := os.Getenv(listenCount), os.Getenv(listenPID), os.Getenv(listenNames)
	for _, name := range []string{listenCount, listenPID, listenNames} {
		os.Unsetenv(name)
	}
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > mostHanded || pid != strconv.Itoa(os.Getpid()) {
		return nil
	}
	kept := map[string]int{}
	var twice []string
	list := strings.Split(names, ":")
	for at := range n {
		fd := firstHanded + at
		unix.CloseOnExec(fd)
		name := namesNothing
		if at < len(list) {
			name = list[at]
		}
		if _, ok := kept[name]; ok {
			twice = append(twice, name)
			unix.Close(fd)
			continue
		}
		kept[name] = fd
	}
	for _, name := range twice {
		if fd, ok := kept[name]; ok {
			unix.Close(fd)
			delete(kept, name)
		}
	}
	return kept
}
