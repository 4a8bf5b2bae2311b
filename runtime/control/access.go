package control

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"
)

// access is what a peer may do. Each level includes those before it.
type access int

const (
	nothing access = iota
	read
	command
)

// Groups are those whose members may read, and command, a supervisor besides root and its own user. An empty name is no
// group; digits are a group's number.
type Groups struct {
	Read, Command string
}

// groupIDs are the numbers of Groups; -1 for none.
type groupIDs struct{ read, command int }

func (g Groups) resolve() (ids groupIDs, err error) {
	if ids.read, err = groupID(g.Read); err != nil {
		return ids, err
	}
	ids.command, err = groupID(g.Command)
	return ids, err
}

// groupID looks into /etc/group alone, as userName does.
func groupID(name string) (int, error) { return groupIn("/etc/group", name) }

func groupIn(path, name string) (int, error) {
	if name == "" {
		return -1, nil
	}
	if id, err := strconv.ParseUint(name, 10, 31); err == nil {
		return int(id), nil
	}
	id := -1
	err := look(path, func(entry, number string) bool {
		n, err := strconv.ParseUint(number, 10, 31)
		if entry == name && err == nil {
			id = int(n)
		}
		return id >= 0
	})
	if err != nil {
		return -1, fmt.Errorf("cannot find the group %q: %w", name, err)
	}
	if id < 0 {
		return -1, fmt.Errorf("cannot find the group %q: %s does not have it; make it with `groupadd %s`, or give its number", name, path, name)
	}
	return id, nil
}

// open lets the groups through to the socket at path, which is closed to all but its owner until then. Of two groups one
// owns the file and the other is in its access control list: no one else may so much as connect.
func (g groupIDs) open(path string) error {
	owner, other := g.command, g.read
	if owner < 0 {
		owner, other = g.read, -1
	}
	if owner < 0 {
		return nil
	}
	if err := os.Lchown(path, -1, owner); err != nil {
		return fmt.Errorf("cannot give the socket to group %d, of which this user must be a member: %w", owner, err)
	}
	if other >= 0 && other != owner {
		if err := unix.Setxattr(path, "system.posix_acl_access", aclOf(other), 0); err != nil {
			return fmt.Errorf("cannot open the socket to a second group (its file system has no access control lists): name one group for both: %w", err)
		}
		return nil
	}
	return os.Chmod(path, 0o660)
}

// aclOf is a list by which owner, group and the other group read and write, as linux/posix_acl_xattr.h lays it out:
// version 2, then a tag, permissions and an ID each.
func aclOf(group int) []byte {
	const all, none, anyone = 6, 0, ^uint32(0)
	list := []byte{2, 0, 0, 0}
	for _, e := range []struct {
		tag, permissions uint16
		id               uint32
	}{{0x01, all, anyone}, {0x04, all, anyone}, {0x08, all, uint32(group)}, {0x10, all, anyone}, {0x20, none, anyone}} {
		list = append(list, byte(e.tag), byte(e.tag>>8), byte(e.permissions), byte(e.permissions>>8),
			byte(e.id), byte(e.id>>8), byte(e.id>>16), byte(e.id>>24))
	}
	return list
}

// of is what the peer may do.
func (g groupIDs) of(conn *net.UnixConn) (uid int, may access, err error) {
	peer, err := peerOf(conn)
	if err != nil {
		return -1, nothing, err
	}
	uid = int(peer.Uid)
	if uid == 0 || uid == os.Geteuid() {
		return uid, command, nil
	}
	if g.read < 0 && g.command < 0 {
		return uid, nothing, nil
	}
	groups, err := groupsOf(conn)
	if err != nil {
		return uid, nothing, err
	}
	groups = append(groups, peer.Gid)
	switch {
	case g.command >= 0 && slices.Contains(groups, uint32(g.command)):
		return uid, command, nil
	case g.read >= 0 && slices.Contains(groups, uint32(g.read)):
		return uid, read, nil
	}
	return uid, nothing, nil
}

// groupsOf are the peer's supplementary groups when it connected (SO_PEERGROUPS, Linux 4.13).
func groupsOf(conn *net.UnixConn) ([]uint32, error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	groups := make([]uint32, 64)
	var failed error
	err = raw.Control(func(fd uintptr) {
		for {
			size := uint32(4 * len(groups))
			_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_PEERGROUPS,
				uintptr(unsafe.Pointer(&groups[0])), uintptr(unsafe.Pointer(&size)), 0)
			if errno == unix.ERANGE && int(size) > 4*len(groups) { // the kernel has told how many there are
				groups = make([]uint32, size/4)
				continue
			}
			if failed = nil; errno != 0 {
				failed = fmt.Errorf("cannot tell the groups of a client: %w", errno)
			}
			groups = groups[:min(int(size/4), len(groups))]
			return
		}
	})
	return groups, errors.Join(err, failed)
}
