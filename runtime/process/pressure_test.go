package process

import (
	"os"
	"testing"
	"time"
)

func TestCountersAreReadAsTheKernelWritesThem(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text, name string
		want       int64
	}{
		{"populated 1\nfrozen 1\n", "frozen", 1},
		{"frozen_usec 3000000\n", "frozen_usec", 3_000_000},
		{"some avg10=0.04 avg60=0.02 avg300=0.00 total=43435\nfull avg10=0.04 avg60=0.02 avg300=0.00 total=42425\n", "full", 42425},
		{"some avg10=0.04 avg60=0.02 avg300=0.00 total=43435\n", "full", 0}, // before Linux 5.13
		{"full total=x\n", "full", 0},
		{"", "full", 0},
	} {
		if got := parseCounter(test.text, test.name); got != test.want {
			t.Errorf("%s of %q is %d, wanted %d", test.name, test.text, got, test.want)
		}
	}
}

// TestFrozenTreeIsKnown freezes a leaf, as an administrator may.
func TestFrozenTreeIsKnown(t *testing.T) {
	r := start(t, cgroupHost(t), "foo", "stubborn")
	r.pid()
	if now, total := r.Frozen(); now || total != 0 {
		t.Errorf("it is frozen: %t, for %v, before anybody did so", now, total)
	}
	freeze := func(text string) {
		if err := os.WriteFile(r.leaf.file("cgroup.freeze"), []byte(text), 0); err != nil {
			t.Fatal(err)
		}
	}
	freeze("1")
	eventually(t, "it is frozen", func() bool { now, _ := r.Frozen(); return now })
	if _, err := os.Stat(r.leaf.file("cgroup.stat.local")); err == nil {
		eventually(t, "its time is counted", func() bool { _, total := r.Frozen(); return total > 20*time.Millisecond })
	}
	freeze("0")
	eventually(t, "it is thawed", func() bool { now, _ := r.Frozen(); return !now })
}
