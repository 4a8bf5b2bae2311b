//go:build !amd64 || race

package process

import "syscall"

const canFork = false

func cloneChild(*cloneArgs, uintptr, *daemon) (pid int, errno uintptr) {
	return -1, uintptr(syscall.ENOSYS)
}

func cloneForker(*cloneArgs, uintptr, *forking) (pid int, errno uintptr) {
	return -1, uintptr(syscall.ENOSYS)
}
