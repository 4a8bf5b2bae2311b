package process

import (
	"os"
	"testing"
)

func TestOnlyTheTreeBelongs(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "parent:stubborn")
		child := r.pid()
		other := start(t, h, "bar", "stubborn")
		stranger := other.pid()
		for pid, want := range map[int]bool{r.PID(): true, child: true, stranger: false, os.Getpid(): false, 1: false, 1 << 30: false} {
			if got := r.Belongs(pid); got != want {
				t.Errorf("process %d belongs: %t, wanted %t", pid, got, want)
			}
		}
		r.end()
		if r.Belongs(child) {
			t.Error("a dead process belongs")
		}
	})
}

func TestMembershipIsReadAsTheKernelWritesIt(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"0::/system.slice/foo.service/recipe-foo-1\n":      true,
		"9:name=systemd:/x\n0::/recipe-foo-1/made/by/it\n": true,
		"0::/recipe-foo-12\n":                              false,
		"1:cpu:/recipe-foo-1\n0::/\n":                      false,
		"":                                                 false,
	} {
		if got := inCgroup(text, "recipe-foo-1"); got != want {
			t.Errorf("%q: %t", text, got)
		}
	}
}
