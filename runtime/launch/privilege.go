package launch

import (
	"fmt"
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"recipe/runtime/plan"
)

// assume makes the process the account, with the capabilities that the recipe keeps. What the kernel has for a thread is
// set for the one that will exec.
func (s *Spec) assume(id *identity) error {
	keep, err := s.keptCapabilities()
	if err != nil {
		return err
	}
	if keep != nil {
		if err := boundCapabilities(keep); err != nil {
			return err
		}
	}
	if err := id.assume(); err != nil {
		return err
	}
	s.limitProcesses()
	if keep != nil {
		if err := raiseCapabilities(keep, id != nil); err != nil {
			return err
		}
	}
	if !s.Limits.NoNewPrivs {
		return nil
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no_new_privs cannot be set: %s", reason(err))
	}
	return nil
}

// assume makes the whole process the account.
func (id *identity) assume() error {
	if id == nil {
		return nil
	}
	err := syscall.Setgroups(id.groups)
	if err == nil {
		err = syscall.Setresgid(id.gid, id.gid, id.gid)
	}
	if err == nil {
		err = syscall.Setresuid(id.uid, id.uid, id.uid)
	}
	if err != nil {
		return fmt.Errorf("cannot become the user %q: %s", id.name, reason(err))
	}
	return nil
}

// keptCapabilities are the numbers of those to keep, and nil where they are left alone.
func (s *Spec) keptCapabilities() ([]int, error) {
	list := s.Limits.Capabilities
	if list == nil || os.Geteuid() != 0 {
		return nil, nil
	}
	keep := []int{}
	for _, name := range *list {
		n := slices.Index(plan.CapabilityNames(), name)
		if has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0); err != nil || has != 1 {
			return nil, fmt.Errorf("the capability %s cannot be kept: who starts the service does not have it", name)
		}
		keep = append(keep, n)
	}
	return keep, nil
}

// boundCapabilities takes all but those away from whatever will ever be executed, and has the change of account leave us
// the rest.
func boundCapabilities(keep []int) error {
	for n := 0; ; n++ {
		has, err := unix.PrctlRetInt(unix.PR_CAPBSET_READ, uintptr(n), 0, 0, 0)
		if err != nil {
			break // the kernel has no more
		}
		if has == 1 && !slices.Contains(keep, n) {
			if err := unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(n), 0, 0, 0); err != nil {
				return fmt.Errorf("the capabilities cannot be bounded: %s", reason(err))
			}
		}
	}
	return unix.Prctl(unix.PR_SET_KEEPCAPS, 1, 0, 0, 0)
}

// raiseCapabilities gives them to this thread and, for an account, to the program that it executes. Root has them anyway.
func raiseCapabilities(keep []int, ambient bool) error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var sets [2]unix.CapUserData
	for _, n := range keep {
		bit := uint32(1) << (n % 32)
		set := &sets[n/32]
		set.Effective, set.Permitted, set.Inheritable = set.Effective|bit, set.Permitted|bit, set.Inheritable|bit
	}
	if err := unix.Capset(&header, &sets[0]); err != nil {
		return fmt.Errorf("the capabilities cannot be set: %s", reason(err))
	}
	for _, n := range keep {
		if !ambient {
			break
		}
		if err := unix.Prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_RAISE, uintptr(n), 0, 0); err != nil {
			return fmt.Errorf("the capabilities cannot be handed on: %s", reason(err))
		}
	}
	return nil
}
