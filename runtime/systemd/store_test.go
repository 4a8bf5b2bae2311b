package systemd

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestMain is also the next process of a unit: it tells what was kept for it.
func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == "next" {
		for name, fd := range Take().Kept() {
			text := make([]byte, 10)
			n, _ := os.NewFile(uintptr(fd), name).ReadAt(text, 0)
			fmt.Printf("%s holds %s\n", name, text[:n])
		}
		fmt.Printf("left: %q\n", os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_PID")+os.Getenv("LISTEN_FDNAMES"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// TestWhatIsKeptIsFoundByName by the next process, and by no other; what has a name twice is nobody's.
func TestWhatIsKeptIsFoundByName(t *testing.T) {
	t.Parallel()
	var files []*os.File
	for at := range 4 {
		file, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		fmt.Fprintf(file, "%d", at)
		files = append(files, file)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ pid, count, want string }{
		{"$$", "4", "log/foo holds 0\nrecord/foo holds 3\nleft: \"\"\n"},
		{"1", "4", "left: \"\"\n"},
		{"$$", "-1", "left: \"\"\n"},
		{"$$", "many", "left: \"\"\n"},
	} {
		cmd := exec.Command("/bin/sh", "-c", "LISTEN_PID="+test.pid+" exec \"$0\" next", self)
		cmd.Env = []string{"NOTIFY_SOCKET=/n", "LISTEN_FDS=" + test.count, "LISTEN_FDNAMES=log/foo:twice:twice:record/foo"}
		cmd.ExtraFiles = files
		out, err := cmd.CombinedOutput()
		lines := strings.SplitAfter(string(out), "\n")
		if len(lines) == 4 && lines[0] > lines[1] {
			lines[0], lines[1] = lines[1], lines[0]
		}
		if got := strings.Join(lines, ""); err != nil || got != test.want {
			t.Errorf("for %s, %s: %v\n%s", test.pid, test.count, err, got)
		}
	}
}
