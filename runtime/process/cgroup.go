package process

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// A leaf is a fresh cgroup for one incarnation, below the supervisor's own. Fresh, because what is cloned into a cgroup
// that cgroup.kill ever hit dies at birth (Linux 6.18).
type leaf struct{ path string }

const leafPrefix = "recipe-"

// findCgroup returns the folder of this process's own cgroup2, in which leaves can be made, or why not. It tries to
// make one, which another supervisor with the same hash may be doing as well.
func findCgroup(hash string) (string, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return "", err
	}
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return "", err
	}
	own, err := cgroupFolder(string(mounts), string(membership))
	if err != nil {
		return "", err
	}
	// A process is moved by whoever may write the members of both cgroups' common ancestor.
	if err := unix.Access(filepath.Join(own, "cgroup.procs"), unix.W_OK); err != nil {
		return "", fmt.Errorf("%s: %w", own, err)
	}
	kind, err := os.ReadFile(filepath.Join(own, "cgroup.type")) // the root has no such file
	if text := strings.TrimSpace(string(kind)); err == nil && text != "domain" {
		return "", fmt.Errorf("%s is %s", own, text)
	}
	trial := filepath.Join(own, leafPrefix+"trial-"+hash)
	if err := os.Mkdir(trial, 0o755); err != nil && !os.IsExist(err) {
		return "", err
	}
	_ = os.Remove(trial)
	return own, nil
}

// cgroupFolder joins what /proc/self/mountinfo and /proc/self/cgroup tell: the mount may show a part of the hierarchy.
func cgroupFolder(mounts, membership string) (string, error) {
	path, ok := "", false
	for line := range strings.Lines(membership) {
		if rest, found := strings.CutPrefix(line, "0::"); found {
			path, ok = strings.TrimSuffix(rest, "\n"), true
		}
	}
	if !ok || !strings.HasPrefix(path, "/") {
		return "", errors.New("this process is in no cgroup2")
	}
	if path == "/.." || strings.HasPrefix(path, "/../") {
		return "", errors.New("the cgroup of this process is outside of its cgroup namespace")
	}
	mounted := false
	for line := range strings.Lines(mounts) {
		before, after, found := strings.Cut(line, " - ")
		fields, kind := strings.Fields(before), strings.Fields(after)
		if !found || len(fields) < 6 || len(kind) == 0 || kind[0] != "cgroup2" {
			continue
		}
		mounted = true
		root, point := unescapeMount(fields[3]), unescapeMount(fields[4])
		below, err := filepath.Rel(root, path)
		if err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return filepath.Join(point, below), nil
		}
	}
	if mounted {
		return "", fmt.Errorf("the cgroup %s of this process is outside of what is mounted here", path)
	}
	return "", errors.New("no cgroup2 is mounted")
}

// unescapeMount undoes the kernel's octal escapes of blanks and backslashes.
func unescapeMount(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

func (l leaf) file(name string) string { return filepath.Join(l.path, name) }

// populated tells whether a process lives in the leaf or below it. Zombies do not count; a leaf that is gone is empty.
func (l leaf) populated() (bool, error) {
	text, err := os.ReadFile(l.file("cgroup.events"))
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return bytes.Contains(text, []byte("populated 1")), nil
}

// killAll sends SIGKILL to all that is in the leaf and below it, and returns what it saw there: nothing only if the
// leaf is empty. That it can be removed tells so at once, for half of what a look into it costs.
func (l leaf) killAll() ([]proc, error) {
	if err := unix.Rmdir(l.path); err == nil || err == unix.ENOENT {
		return nil, nil
	}
	populated, err := l.populated()
	if err != nil || !populated {
		return nil, err
	}
	left := l.members()
	err = os.WriteFile(l.file("cgroup.kill"), []byte("1"), 0)
	if errors.Is(err, os.ErrNotExist) || errors.Is(err, os.ErrPermission) {
		l.killEach() // before Linux 5.14
		err = nil
	}
	if len(left) == 0 {
		left = []proc{{state: 'X'}} // on its way out: no longer listed, but counted
	}
	return left, err
}

// killEach is for kernels without cgroup.kill. Frozen first, nothing forks faster than it is killed.
func (l leaf) killEach() {
	_ = os.WriteFile(l.file("cgroup.freeze"), []byte("1"), 0)
	for _, p := range l.members() {
		killPID(p)
	}
}

// folders are the leaf's own and those that the daemon made below it, children first.
func (l leaf) folders() []string {
	found := []string{l.path}
	for at := 0; at < len(found); at++ {
		entries, err := os.ReadDir(found[at])
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if entry.IsDir() {
				found = append(found, filepath.Join(found[at], entry.Name()))
			}
		}
	}
	for i, j := 0, len(found)-1; i < j; i, j = i+1, j-1 {
		found[i], found[j] = found[j], found[i]
	}
	return found
}

func (l leaf) members() []proc {
	var found []proc
	for _, folder := range l.folders() {
		text, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
		if err != nil {
			continue
		}
		for field := range strings.FieldsSeq(string(text)) {
			pid, err := strconv.Atoi(field)
			if err != nil || pid == 0 { // 0: in a namespace that we do not see
				continue
			}
			if p, ok := readProc(pid); ok && !p.dead() {
				found = append(found, p)
			}
		}
	}
	return found
}

// remove takes the empty leaf away.
func (l leaf) remove() error {
	if err := unix.Rmdir(l.path); err == nil || err == unix.ENOENT {
		return nil
	}
	for _, folder := range l.folders() {
		if err := unix.Rmdir(folder); err != nil && err != unix.ENOENT {
			return fmt.Errorf("cannot remove the cgroup %s: %w", folder, err)
		}
	}
	return nil
}

// leafAge is how old an empty leaf is at least when nobody is just about to put a process into it.
const leafAge = 10 * time.Second

// sweepLeaves removes empty leaves of supervisors that died and whose services are supervised no more, or whose spare
// launcher then ended. The kernel keeps those in which anything lives.
func sweepLeaves(folder string) {
	names, _ := readNames(folder)
	for _, name := range names {
		if path := filepath.Join(folder, name); strings.HasPrefix(name, leafPrefix) {
			if info, err := os.Lstat(path); err == nil && time.Since(info.ModTime()) > leafAge {
				_ = unix.Rmdir(path)
			}
		}
	}
}
