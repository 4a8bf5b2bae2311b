package terminal

import (
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// TestATerminalIsHandedOn: what the daemon writes before, during and after it comes out whole, in the middle of a sequence and
// of a character too, and who attaches later finds the modes that were set.
func TestATerminalIsHandedOn(t *testing.T) {
	t.Parallel()
	log := &paper{}
	first := New(log.reader)
	cmd := run(t, first, `stty -echo; printf 'one\033[?1049h\033[3'; read -r a; printf '1mtwo\303'; read -r b; printf '\244three\n'; read -r c`)
	watch(t, first, true, Size{}).sees("\x1b[3")
	first.stop() // the log has been handed on before
	handed, err := first.Hand()
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(handed)
	if err == nil {
		handed = Handed{}
		err = json.Unmarshal(data, &handed)
	}
	if err != nil {
		t.Fatal(err)
	}
	// An exec closes what the first has; here each has descriptors of its own.
	for _, fd := range []*int{&handed.Master, &handed.Slave} {
		if *fd, err = unix.FcntlInt(uintptr(*fd), unix.F_DUPFD_CLOEXEC, 0); err != nil {
			t.Fatal(err)
		}
	}
	second, err := Resume(log.reader, handed)
	if err != nil {
		t.Fatal(err)
	}
	viewer := watch(t, second, false, Size{})
	viewer.types("\n")
	viewer.sees("two")
	viewer.types("\n")
	viewer.sees("three")
	if set := string(second.modes.Set()); !strings.Contains(set, "\x1b[?1049h") {
		t.Errorf("the modes are %q", set)
	}
	viewer.types("\n")
	_ = cmd.Wait()
	second.End() // all is in the log
	runtime.KeepAlive(first)
	if got := strings.ReplaceAll(log.String(), "\n", ""); got != "onetwoäthree" {
		t.Errorf("the log is %q", got)
	}
}
