package launch

import (
	"bufio"
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
