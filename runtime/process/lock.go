package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Below RUNTIMEDIR/locks: one folder a kind, since a service's name may end in anything.
const (
	locksDir       = "locks"
	incarnationDir = "incarnation" // locked by every process of a tree
	supervisorDir  = "supervisor"  // locked by the service's supervisor, whose note it holds (note.go)
)

// Lock files stay for ever: removing one would let two locks stand at once, on the old file and on the new.

func makeLockDirs(runtimeDir string) error {
	for _, dir := range []string{"", incarnationDir, supervisorDir} {
		path := filepath.Join(runtimeDir, locksDir, dir)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return fmt.Errorf("cannot make the folder of the lock files: %w", err)
		}
		var stat unix.Stat_t
		if err := unix.Lstat(path, &stat); err != nil {
			return fmt.Errorf("cannot look at %s: %w", path, err)
		}
		if stat.Mode&unix.S_IFMT != unix.S_IFDIR || stat.Mode&0o022 != 0 || int(stat.Uid) != os.Geteuid() {
			return fmt.Errorf("cannot use %s: it must be a folder of user %d that nobody else can write", path, os.Geteuid())
		}
	}
	return nil
}

func (h *Host) path(kind, service string) string {
	return filepath.Join(h.options.RuntimeDir, locksDir, kind, service)
}

// openLock opens a description of its own, which is what an flock belongs to.
func (h *Host) openLock(kind, service string) (*os.File, error) {
	path := h.path(kind, service)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	if err == unix.ENOENT { // somebody removed the folder
		if err := makeLockDirs(h.options.RuntimeDir); err != nil {
			return nil, err
		}
		fd, err = unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0o600)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock file %s: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

var errHeld = errors.New("the lock is held")

// takeLock returns the locked file, or errHeld. A child of ours between its fork and its exec holds what we hold, so a
// lock just released may look held for less than a millisecond: hence the patience.
func (h *Host) takeLock(kind, service string, patience time.Duration) (*os.File, error) {
	file, err := h.openLock(kind, service)
	if err != nil {
		return nil, err
	}
	for delay := 50 * time.Microsecond; ; delay *= 2 {
		err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return file, nil
		case err == unix.EINTR:
		case err != unix.EWOULDBLOCK:
			file.Close()
			return nil, fmt.Errorf("cannot lock %s: %w", file.Name(), err)
		case patience <= 0:
			file.Close()
			return nil, errHeld
		default:
			time.Sleep(min(delay, patience))
			patience -= delay
		}
	}
}

// lockFree tells whether no process holds the incarnation lock of the service. A file that is not there is free.
func (h *Host) lockFree(service string) (bool, error) {
	fd, err := unix.Open(h.path(incarnationDir, service), unix.O_RDWR|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENOENT {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot open the lock file of service %s: %w", service, err)
	}
	defer unix.Close(fd)
	switch err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err {
	case nil:
		_ = unix.Flock(fd, unix.LOCK_UN) // for a child as well that was cloned just now and has a copy until its exec
		return true, nil
	case unix.EWOULDBLOCK:
		return false, nil
	default:
		return false, fmt.Errorf("cannot try the lock of service %s: %w", service, err)
	}
}

// A lock outlives its holder, or what it held it for, while a child that was just being spawned has not come to its
// exec: a moment, unless the machine is overloaded.
const (
	liveHolderPatience = 200 * time.Millisecond
	deadHolderPatience = 2 * time.Second
)

// Claim makes this process the only supervisor of the service until Release or its end. The error names the one that
// has it.
func (h *Host) Claim(service string) error {
	if strings.ContainsAny(service, "/\x00") || service == "" || service[0] == '.' {
		return fmt.Errorf("cannot supervise a service named %q", service)
	}
	if h.claimed(service) {
		return claimRefusal(service, os.Getpid())
	}
	for began := time.Now(); ; time.Sleep(time.Millisecond) {
		file, err := h.takeLock(supervisorDir, service, 0)
		if err == nil {
			h.mu.Lock()
			h.claims[service] = file
			h.mu.Unlock()
			return nil
		}
		if !errors.Is(err, errHeld) {
			return err
		}
		holder := h.lockOwner(h.path(supervisorDir, service))
		patience := deadHolderPatience
		if _, alive := readProc(holder); alive && holder != os.Getpid() {
			patience = liveHolderPatience
		}
		if time.Since(began) > patience {
			return claimRefusal(service, holder)
		}
	}
}

// reclaim claims a service anew whose lock file was removed or moved away, since whoever looks for it there now would take it
// for free. It is an error where somebody did.
func (h *Host) reclaim(service string) error {
	h.mu.Lock()
	file := h.claims[service]
	h.mu.Unlock()
	if file == nil {
		return errNotClaimed
	}
	path := h.path(supervisorDir, service)
	var ours, there unix.Stat_t
	if unix.Fstat(int(file.Fd()), &ours) == nil && unix.Lstat(path, &there) == nil && ours.Dev == there.Dev && ours.Ino == there.Ino {
		return nil
	}
	fresh, err := h.takeLock(supervisorDir, service, 0)
	if errors.Is(err, errHeld) {
		return claimRefusal(service, h.lockOwner(path))
	}
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.claims[service] = fresh
	file.Close()
	return nil
}

func claimRefusal(service string, holder int) error {
	if holder == 0 {
		return fmt.Errorf("service %s is already supervised, by a process that cannot be seen from here: end that one first", service)
	}
	return fmt.Errorf("service %s is already supervised (by process %d, %s): end that one first", service, holder, commandLine(holder))
}

// Release gives the service up, once nothing of it runs any more.
func (h *Host) Release(service string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if file := h.claims[service]; file != nil {
		file.Close()
		delete(h.claims, service)
	}
}

func (h *Host) claimed(service string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.claims[service] != nil
}

// lockOwner finds in /proc/locks who took the lock on the file, or 0. Where the file system's device number there is
// not the one that stat shows, as on overlays, the inode alone decides.
func (h *Host) lockOwner(path string) int {
	var stat unix.Stat_t
	if unix.Lstat(path, &stat) != nil {
		return 0
	}
	text, err := os.ReadFile("/proc/locks")
	if err != nil {
		return 0
	}
	device := fmt.Sprintf("%02x:%02x", unix.Major(uint64(stat.Dev)), unix.Minor(uint64(stat.Dev)))
	byInode := 0
	for line := range strings.Lines(string(text)) {
		pid, dev, number, ok := parseLock(line)
		if !ok || number != stat.Ino {
			continue
		}
		if dev == device {
			return pid
		}
		byInode = pid
	}
	return byInode
}

// parseLock reads "1: FLOCK  ADVISORY  WRITE 1234 fe:00:5678 0 EOF".
func parseLock(line string) (pid int, device string, number uint64, ok bool) {
	fields := strings.Fields(line)
	if len(fields) < 6 || fields[1] != "FLOCK" {
		return 0, "", 0, false
	}
	pid, err := strconv.Atoi(fields[4])
	at := strings.LastIndexByte(fields[5], ':')
	if err != nil || pid <= 0 || at < 0 {
		return 0, "", 0, false
	}
	number, err = strconv.ParseUint(fields[5][at+1:], 10, 64)
	return pid, fields[5][:at], number, err == nil
}
