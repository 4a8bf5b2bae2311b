package launch

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// FreeSpace wants Size bytes left for unprivileged writers where Path is or will be.
type FreeSpace struct {
	Path string `json:"path"`
	Size int64  `json:"size"`
}

func (r *FreeSpace) prepare() error {
	path := r.Path
	for path != "/" {
		if _, err := os.Stat(path); err == nil {
			break
		}
		path = filepath.Dir(path)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return fmt.Errorf("the free space of %s cannot be found: %s", path, reason(err))
	}
	block := int64(st.Frsize)
	if block == 0 {
		block = int64(st.Bsize)
	}
	if free := int64(st.Bavail) * block; free < r.Size {
		return fmt.Errorf("%s has %d bytes free and needs %d", r.Path, free, r.Size)
	}
	return nil
}

// PortFree wants nobody to listen on a TCP port of this network namespace, on any address.
type PortFree struct {
	Port int64 `json:"port"`
}

func (r *PortFree) prepare() error {
	if r.Port < 1 || r.Port > 65535 {
		return fmt.Errorf("%d is not a TCP port: 1 to 65535", r.Port)
	}
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		if listens(file, r.Port) {
			return fmt.Errorf("the TCP port %d is taken: a process listens on it", r.Port)
		}
	}
	return nil
}

// listens looks for the port in a table of sockets. A host without IPv6 has no tcp6.
func listens(file string, port int64) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	local := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text()) // slot, local address, remote address, state; 0A is LISTEN
		if len(fields) > 3 && fields[3] == "0A" && strings.HasSuffix(fields[1], local) {
			return true
		}
	}
	return false
}

// File wants a regular file that the account may read and, where Executable is set, execute.
type File struct {
	Path       string `json:"path"`
	Executable bool   `json:"executable,omitempty"`
}

func (r *File) prepare(id *identity) error {
	info, err := os.Stat(r.Path)
	switch {
	case err != nil:
		return fmt.Errorf("there is no file %s: install what brings it", r.Path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", r.Path)
	case !id.may(r.Path, unix.R_OK):
		return fmt.Errorf("the file %s is not readable%s", r.Path, id.forWhom())
	case r.Executable && !id.may(r.Path, unix.X_OK):
		return fmt.Errorf("the file %s is not executable%s", r.Path, id.forWhom())
	}
	return nil
}

// Writable wants a file that the account may write to, or a directory that it may make files in.
type Writable struct {
	Path string `json:"path"`
}

func (r *Writable) prepare(id *identity) error {
	info, err := os.Stat(r.Path)
	if err != nil {
		return fmt.Errorf("there is no %s to write to", r.Path)
	}
	mode := uint32(unix.W_OK)
	if info.IsDir() {
		mode |= unix.X_OK
	}
	if !id.may(r.Path, mode) {
		return fmt.Errorf("%s is not writable%s: see to its owner and mode, and to whether its file system is mounted read-only", r.Path, id.forWhom())
	}
	return nil
}

// Memory wants Size bytes that the host could give to processes without swapping.
type Memory struct {
	Size int64 `json:"size"`
}

func (r *Memory) prepare() error {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return fmt.Errorf("the memory of this host cannot be found: %s", reason(err))
	}
	var available int64
	for line := range bytes.Lines(data) {
		fmt.Sscanf(string(line), "MemAvailable: %d kB", &available)
	}
	if available *= 1024; available < r.Size {
		return fmt.Errorf("this host has %d bytes of memory available and needs %d: end what takes it, or give the host more", available, r.Size)
	}
	return nil
}

// Mount wants something to be mounted at Path, its links resolved.
type Mount struct {
	Path string `json:"path"`
}

func (r *Mount) prepare() error {
	missing := fmt.Errorf("nothing is mounted at %s: mount it first", r.Path)
	at, err := filepath.EvalSymlinks(r.Path)
	if err != nil {
		return missing
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return fmt.Errorf("what is mounted cannot be found: %s", reason(err))
	}
	escaped := strings.NewReplacer(`\`, `\134`, " ", `\040`, "\t", `\011`, "\n", `\012`).Replace(at)
	for line := range bytes.Lines(mounts) {
		if fields := strings.Fields(string(line)); len(fields) > 4 && fields[4] == escaped {
			return nil
		}
	}
	return missing
}
