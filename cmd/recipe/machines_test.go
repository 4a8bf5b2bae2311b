package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// tour is a recipe of much that could differ: loads, files that are read, dicts, sets, sorting, numbers and facts of the
// host, with a lint and a note.
var tour = map[string]string{
	"tour.star": `load("lib/levels.star", "levels")
load("@std//probes.star", "http_ok")
port = flag("port", type = "port", default = 8080)
level = flag("level", type = "enum", values = levels(), default = "info", apply = signal("HUP"))
live = template("/run/tour/live.conf", read("live.conf") + "level {}\n", level)
words = {w: len(w) for w in read("lib/words.txt").split()}
print(sorted(words, key = lambda w: (words[w], w)), hash("tour"), 7 // -2, 1.5 * 3, set(words.values()))
service(
    name = "tour",
    command = ["/usr/bin/tour", fmt("--workers={}", clamp(host.cpus * 2, 2, 64)), fmt("--port={}", port)],
    env = {"WORDS": ",".join(words), "SIZES": str(words), "HOST": host.name},
    prepare = [live],
    probes = [http_ok(port)],
)
service(name = "second", command = ["/usr/bin/second"], limits = limits(memory = "512MiB"), after = ["tour"])
`,
	"lib/levels.star": "def levels():\n    return sorted(set([\"info\", \"debug\", \"error\"]))\n",
	"lib/words.txt":   "zeta alpha jot alpha beta\n",
	"live.conf":       "# live\n",
}

func layTour(t *testing.T, dir string) {
	t.Helper()
	for name, text := range tour {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// answer is all that a call prints, of the plan and of what is said.
func answer(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cmd, err, errs.String())
	}
	if !strings.Contains(string(out), `"sha256"`) || !strings.Contains(errs.String(), "jot") {
		t.Fatalf("the tour is not as it was meant:\n%s\n%s", out, errs.String())
	}
	return string(out) + errs.String()
}

// TestSameBytesFromAHundredEvaluations has the real command evaluate one recipe with another environment, folder, user,
// number of processors, locale, time zone and mask each time, and copies of its files made in another order.
func TestSameBytesFromAHundredEvaluations(t *testing.T) {
	t.Parallel()
	top, err := os.MkdirTemp("/tmp", "tour") // that another user may enter
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(top) })
	if err := os.Chmod(top, 0o755); err != nil {
		t.Fatal(err)
	}
	locales := []string{"C", "de_DE.UTF-8", "tr_TR.UTF-8", "ja_JP.eucJP", ""}
	zones := []string{"UTC", "Asia/Tokyo", "America/St_Johns", ""}
	var first string
	for i := range 100 {
		dir := filepath.Join(top, fmt.Sprint(i%7), strings.Repeat("x", i%5+1))
		if i < 35 {
			layTour(t, dir) // in the random order of a map
		}
		cmd := exec.Command("/proc/self/exe", "plan", "tour.star")
		cmd.Args[0], cmd.Dir = "recipe", dir
		cmd.Env = []string{
			"LANG=" + locales[i%len(locales)], "LC_ALL=" + locales[i%len(locales)], "TZ=" + zones[i%len(zones)], fmt.Sprintf("GOMAXPROCS=%d", 1+i%8),
			fmt.Sprintf("GOGC=%d", 1+i*7%200), "HOME=/nonexistent", fmt.Sprintf("NOISE%d=%d", i, i), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", i), "GODEBUG=randautoseed=1",
		}
		if os.Geteuid() == 0 && i%2 == 1 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(65534 - i%3), Gid: uint32(65534 - i%5)}}
		}
		got := answer(t, cmd)
		if i == 0 {
			first = got
		}
		if got != first {
			t.Fatalf("evaluation %d gives\n%s\nand the first gave\n%s", i, got, first)
		}
		if strings.Contains(got, top) {
			t.Fatalf("the folder is named:\n%s", got)
		}
	}
}
