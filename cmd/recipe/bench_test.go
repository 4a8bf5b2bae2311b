package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	sharedModule = "def probes(port):\n    return [http(port, \"/healthz\", every = \"5s\"), tcp(port, send = \"PING\\r\\n\", expect = \"PONG\")]\n"
	loadingOne   = "load(\"shared.star\", \"probes\")\ndef delays():\n    return restart(delay = \"200ms\", cap = \"30s\")\n"
)

// layRecipes writes recipes of that many lines that share two modules of some 150 lines each, and gives their names.
func layRecipes(tb testing.TB, dir string, recipes, lines int) []string {
	tb.Helper()
	var padding strings.Builder
	for i := range 60 {
		fmt.Fprintf(&padding, "def f%d(x):\n    return [x, %d]\n", i, i)
	}
	files := map[string]string{"lib/shared.star": sharedModule + padding.String(), "lib/more.star": loadingOne + padding.String()}
	var names []string
	for n := range recipes {
		name := fmt.Sprintf("r%04d.star", n)
		names, files[name] = append(names, name), recipeOf(n, lines)
	}
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return names
}

// recipeOf has the layout that fmt gives.
func recipeOf(n, lines int) string {
	text := []string{`load("lib/shared.star", "probes")`, `load("lib/more.star", "delays")`, "", fmt.Sprintf(`port = flag("port", type = "port", default = %d, help = "port")`, 1024+n)}
	for i := 0; len(text) < lines; i++ {
		text = append(text, "", "service(", fmt.Sprintf("    name = \"s%d-%d\",", n, i), `    command = ["/usr/bin/s", fmt("--port={}", port)],`, fmt.Sprintf("    env = {\"A\": \"%d\"},", i),
			fmt.Sprintf("    prepare = [directory(\"/var/lib/s%d-%d\")],", n, i), "    probes = probes(port),", "    restart = delays(),", "    limits = limits(nofile = 65536),", ")")
	}
	return strings.Join(text, "\n") + "\n"
}

// whole measures a verb over recipes that have nothing to be said about, as the real command, whole: this binary as the
// command and its children, which is larger than the command. The peak is that of the largest process.
func whole(b *testing.B, verb string, recipes, lines int) {
	dir := b.TempDir()
	names := layRecipes(b, dir, recipes, lines)
	var peak int64
	var used time.Duration // of the processor
	for b.Loop() {
		cmd := exec.Command("/proc/self/exe", append([]string{verb}, names...)...)
		cmd.Args[0], cmd.Dir = "recipe", dir
		if out, err := cmd.CombinedOutput(); err != nil || len(out) > 0 {
			b.Fatalf("%v\n%.500s", err, out)
		}
		peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss>>10)
		used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	}
	b.ReportMetric(float64(used.Microseconds())/1000/float64(b.N), "cpu-ms/op")
	b.ReportMetric(float64(peak), "MiB-peak")
	b.ReportMetric(float64(runtime.NumCPU()), "cpus")
}

func BenchmarkCheckOfTwoHundredLines(b *testing.B)      { whole(b, "check", 1, 200) }
func BenchmarkCheckOfAThousandRecipes(b *testing.B)     { whole(b, "check", 1000, 24) }
func BenchmarkCheckOfAThousandLongRecipes(b *testing.B) { whole(b, "check", 1000, 200) }
func BenchmarkFmtOfAThousandLongRecipes(b *testing.B)   { whole(b, "fmt", 1000, 200) }
