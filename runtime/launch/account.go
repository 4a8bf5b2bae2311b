package launch

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// identity is who a process is to be. Nil is whoever we are.
type identity struct {
	name   string
	uid    int
	gid    int
	groups []int
}

// lookUp finds the account on this host. It is nil when there is none, or when we may not change who we are.
func (s *Spec) lookUp() (*identity, error) {
	if s.Account == nil || os.Geteuid() != 0 {
		return nil, nil
	}
	users, err := readTable("/etc/passwd")
	if err != nil {
		return nil, err
	}
	id := &identity{name: s.Account.Name}
	user := users.find(id.name)
	if len(user) < 4 {
		return nil, fmt.Errorf("there is no user %q on this host", id.name)
	}
	if id.uid, err = strconv.Atoi(user[2]); err != nil {
		return nil, fmt.Errorf("there is no user %q on this host", id.name)
	}
	if id.gid, err = strconv.Atoi(user[3]); err != nil {
		return nil, fmt.Errorf("the user %q has no group on this host", id.name)
	}
	if id.groups, err = memberships(id.name, id.gid); err != nil {
		return nil, err
	}
	if s.Account.Group != "" {
		if id.gid, err = groupID(s.Account.Group); err != nil {
			return nil, err
		}
	}
	for _, name := range s.Account.Groups {
		gid, err := groupID(name)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(id.groups, gid) {
			id.groups = append(id.groups, gid)
		}
	}
	return id, nil
}

// Owner is the user and group that the daemon will have, for whoever makes its output. It is false when the daemon stays
// whoever we are, or when the host does not know the account: Prepare will say that.
func (s *Spec) Owner() (uid, gid int, ok bool) {
	id, err := s.lookUp()
	if err != nil || id == nil {
		return 0, 0, false
	}
	return id.uid, id.gid, true
}

// memberships are what initgroups gives: the group of /etc/passwd and every group that lists the user.
func memberships(user string, primary int) ([]int, error) {
	groups, err := readTable("/etc/group")
	if err != nil {
		return nil, err
	}
	ids := []int{primary}
	for _, g := range groups {
		if len(g) < 4 || !slices.Contains(strings.Split(g[3], ","), user) {
			continue
		}
		if gid, err := strconv.Atoi(g[2]); err == nil && !slices.Contains(ids, gid) {
			ids = append(ids, gid)
		}
	}
	return ids, nil
}

func userID(name string) (int, error) { return number("/etc/passwd", "user", name) }

func groupID(name string) (int, error) { return number("/etc/group", "group", name) }

func number(file, what, name string) (int, error) {
	rows, err := readTable(file)
	if err != nil {
		return 0, err
	}
	if row := rows.find(name); len(row) >= 3 {
		if n, err := strconv.Atoi(row[2]); err == nil {
			return n, nil
		}
	}
	return 0, fmt.Errorf("there is no %s %q on this host", what, name)
}

// table is /etc/passwd or /etc/group, split. Accounts of the network are not there, and no daemon should hang on them.
type table [][]string

func readTable(file string) (table, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %s", file, reason(err))
	}
	var t table
	for line := range bytes.Lines(data) {
		t = append(t, strings.Split(strings.TrimSuffix(string(line), "\n"), ":"))
	}
	return t, nil
}

func (t table) find(name string) []string {
	for _, row := range t {
		if row[0] == name {
			return row
		}
	}
	return nil
}

// runnable reports why the account could not exec path.
func (id *identity) runnable(path string) error {
	if !strings.HasPrefix(path, "/") {
		return fmt.Errorf("the program %s is not an absolute path", path)
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("there is no program %s", path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the program %s is not a regular file", path)
	case !id.may(path, unix.X_OK):
		return fmt.Errorf("the program %s is not executable%s", path, id.forWhom())
	}
	return nil
}

func (id *identity) forWhom() string {
	if id == nil {
		return ""
	}
	return fmt.Sprintf(" for %q", id.name)
}

// may asks the kernel what the account may do with a path. The question is put by a thread that is the account as far
// as files go, and that ends with it: the goroutine never unlocks.
func (id *identity) may(path string, mode uint32) bool {
	if id == nil {
		return unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS) == nil
	}
	answer := make(chan bool)
	go func() {
		runtime.LockOSThread()
		groups := make([]uint32, len(id.groups)+1)
		for i, g := range id.groups {
			groups[i] = uint32(g)
		}
		if errno := rawSetgroups(groups[:len(id.groups)]); errno != 0 {
			answer <- false
			return
		}
		unix.Setfsgid(id.gid)
		unix.Setfsuid(id.uid)
		answer <- unix.Faccessat(unix.AT_FDCWD, path, mode, unix.AT_EACCESS) == nil
	}()
	return <-answer
}
