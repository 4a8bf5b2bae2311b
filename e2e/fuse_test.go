package e2e

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// hung mounts a file system that never answers, as one whose server is stopped. With taken, its server has taken each
// request, so that the kernel lets nobody die who waits for one; without, those who wait can be killed. release ends all
// waits; the file system is gone then.
func hung(t *testing.T, at string, taken bool) (release func()) {
	t.Helper()
	rootOnly(t)
	device, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Skipf("there is no FUSE here: %v", err)
	}
	must(t, os.MkdirAll(at, 0o755))
	must(t, unix.Mount("silent", at, "fuse.silent", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprintf("fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other", device)))
	ended := make(chan struct{})
	release = sync.OnceFunc(func() {
		unix.Unmount(at, unix.MNT_FORCE) // which fails while it is in use, and ends the connection
		unix.Unmount(at, unix.MNT_DETACH)
		<-ended
		unix.Close(device)
	})
	t.Cleanup(release)
	err = agree(device)
	if err != nil || !taken {
		close(ended)
		must(t, err)
		return release
	}
	go func() {
		defer close(ended)
		for request := make([]byte, longestRequest); ; {
			if _, err := unix.Read(device, request); err == unix.ENODEV {
				return
			}
		}
	}()
	return release
}

const longestRequest = 1 << 18

// agree answers the one request that has to be answered before a file system is there, FUSE_INIT, by the protocol of
// include/uapi/linux/fuse.h.
func agree(device int) error {
	const head, initialize = 40, 26
	request := make([]byte, longestRequest)
	n, err := unix.Read(device, request)
	if err != nil {
		return err
	}
	if n < head || binary.NativeEndian.Uint32(request[4:]) != initialize {
		return fmt.Errorf("the kernel began with request %d", binary.NativeEndian.Uint32(request[4:]))
	}
	answer := make([]byte, 16+64)
	binary.NativeEndian.PutUint32(answer, uint32(len(answer)))
	copy(answer[8:16], request[8:16])                 // the request's number
	binary.NativeEndian.PutUint32(answer[16:], 7)     // the protocol's version
	binary.NativeEndian.PutUint32(answer[20:], 31)    // and minor one
	binary.NativeEndian.PutUint32(answer[28:], 1<<18) // several may look something up in a folder at once
	binary.NativeEndian.PutUint32(answer[36:], 4096)  // bytes of a write
	_, err = unix.Write(device, answer)
	return err
}
