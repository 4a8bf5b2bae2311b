package interp

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkEvaluate takes the recipe of the tour from source to plan.
func BenchmarkEvaluate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, list := Evaluate("testdata/foo.star", Options{}); len(list) > 0 {
			b.Fatal(list)
		}
	}
}

// many is a recipe of many services. None has a probe, so that each earns a warning that has a place.
func many(services int, restart string) []byte {
	var b strings.Builder
	for i := range services {
		fmt.Fprintf(&b, "service(name = \"s%04d\", command = [\"/x/benchd\", \"/sock\", \"s%04d\", \"sleep\"], restart = %s)\n", i, i, restart)
	}
	return []byte(b.String())
}

// BenchmarkTwoHundredLines takes a recipe of 200 lines from source to plan.
func BenchmarkTwoHundredLines(b *testing.B) {
	var src strings.Builder
	src.WriteString("port = flag(\"port\", type = \"port\", default = 8080, help = \"port\")\n")
	for i := range 22 {
		fmt.Fprintf(&src, "service(\n    name = \"s%d\",\n    command = [\"/usr/bin/s\", fmt(\"--port={}\", port)],\n    env = {\"A\": \"%d\"},\n    prepare = [directory(\"/var/lib/s%d\")],\n"+
			"    probes = [http(port, \"/healthz\", every = \"5s\")],\n    restart = restart(delay = \"200ms\"),\n    limits = limits(nofile = 65536),\n)\n", i, i, i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if p, list := EvaluateBytes("x.star", []byte(src.String()), Options{}); p == nil {
			b.Fatal(list)
		}
	}
}

func BenchmarkThousandServices(b *testing.B) {
	src := many(1000, `restart(delay = "0s")`)
	b.ReportAllocs()
	for b.Loop() {
		if p, list := EvaluateBytes("x.star", src, Options{}); p == nil {
			b.Fatal(list)
		}
	}
}

func BenchmarkThousandMistakes(b *testing.B) {
	src := many(1000, `restart(dely = "0s", cap = 5)`)
	for b.Loop() {
		if p, _ := EvaluateBytes("x.star", src, Options{}); p != nil {
			b.Fatal("a plan")
		}
	}
}

// TestPlacesAreIndexed holds the cost of finding places: eight times the services may cost eight times as much, not
// sixty-four times. It counts the processor time of its own thread, since other tests run beside it.
func TestPlacesAreIndexed(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cost := func(services int) time.Duration {
		src := many(services, `restart(delay = "0s")`)
		least := time.Hour
		for range 4 {
			start := processorTime(t)
			if p, list := EvaluateBytes("x.star", src, Options{}); p == nil || len(list) != services {
				t.Fatal(list)
			}
			least = min(least, processorTime(t)-start)
		}
		return least
	}
	if few, lots := cost(250), cost(2000); lots > 24*few {
		t.Errorf("250 services took %v, 2000 took %v", few, lots)
	}
}

func processorTime(t *testing.T) time.Duration {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
