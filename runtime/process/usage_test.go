package process

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestUsageIsReadAsTheKernelWritesIt(t *testing.T) {
	t.Parallel()
	const text = "42 (a ) b) S 1 42 42 0 -1 4194560 1 2 3 4 150 50 20 30 20 0 1 0 9911 8192000 25 1\n"
	want := Usage{CPU: 2500 * time.Millisecond, Virtual: 8192000, Memory: 25 * uint64(os.Getpagesize())}
	if got, ok := parseUsage([]byte(text)); !ok || got != want {
		t.Errorf("got %+v, %t, want %+v", got, ok, want)
	}
	for _, bad := range []string{"", "42 (a) Z 1 42 42 0 -1 0 1 2 3 4 1 1 1 1 20 0 1 0 9911 1 1 1\n", "42 (a) S 1 42 42 0 -1 0 1 2 3 4 x 1 1 1 20 0 1 0 9911 1 1 1\n", "42 (a) S 1 42 42 0 -1 0 1 2 3 4 1 1 1 1 20 0 1 0 9911 1"} {
		if _, ok := parseUsage([]byte(bad)); ok {
			t.Errorf("%q is a process that lives", bad)
		}
	}
}

func TestUsageOfATree(t *testing.T) {
	eachContainment(t, func(t *testing.T, h *Host) {
		r := start(t, h, "foo", "stubborn")
		r.pid()
		u, ok := r.Usage()
		if !ok || u.Processes < 1 || u.Memory < 1<<20 || u.Descriptors < 3 {
			t.Errorf("%+v, %t", u, ok)
		}
	})
}

// What a daemon puts into cgroups below its own is its too.
func TestUsageOfACgroupBelow(t *testing.T) {
	r := start(t, cgroupHost(t), "foo", "stubborn")
	r.pid()
	below := r.leaf.file("below")
	if err := os.Mkdir(below, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(below+"/cgroup.procs", []byte(strconv.Itoa(r.PID())), 0); err != nil {
		t.Fatal(err)
	}
	if u, ok := r.Usage(); !ok || u.Processes < 1 {
		t.Errorf("%+v, %t", u, ok)
	}
}

func TestOwnUsage(t *testing.T) {
	t.Parallel()
	before := OwnUsage()
	var files []*os.File
	for range 10 {
		f, err := os.Open(os.DevNull)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	after := OwnUsage()
	for _, f := range files {
		f.Close()
	}
	if before.Processes != 1 || before.Memory < 1<<20 || before.Virtual < before.Memory || after.Descriptors < before.Descriptors+5 {
		t.Errorf("%+v, with 10 files more %+v", before, after)
	}
}
