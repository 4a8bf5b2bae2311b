package launch

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// TakeTerminal makes the terminal at descriptor 1 the controlling one of this process, which leads a session, and its
// standard input. It comes before any step: a run step leads a session as well, and would have the terminal by opening
// /dev/stderr, and hang it up by its end.
func (s *Spec) TakeTerminal() error {
	if !s.Terminal {
		return nil
	}
	err := unix.IoctlSetInt(1, unix.TIOCSCTTY, 0)
	if err == nil {
		err = unix.Dup3(1, 0, 0)
	}
	if err != nil {
		return fmt.Errorf("cannot take the terminal: %s", reason(err))
	}
	return nil
}
