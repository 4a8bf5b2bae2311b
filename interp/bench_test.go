package interp

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func BenchmarkEvaluate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, list := Evaluate("testdata/foo.star", Options{}); len(list) > 0 {
			b.Fatal(list)
		}
	}
}

// thousand is a recipe of a thousand services. None has a probe, so that each earns a warning that has a place.
func thousand(restart string) []byte {
	var b strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&b, "service(name = \"s%04d\", command = [\"/x/benchd\", \"/sock\", \"s%04d\", \"sleep\"], restart = %s)\n", i, i, restart)
	}
	return []byte(b.String())
}

func BenchmarkThousandServices(b *testing.B) {
	src := thousand(`restart(delay = "0s")`)
	b.ReportAllocs()
	for b.Loop() {
		if p, list := EvaluateBytes("x.star", src, Options{}); p == nil {
			b.Fatal(list)
		}
	}
}

func BenchmarkThousandMistakes(b *testing.B) {
	src := thousand(`restart(dely = "0s", cap = 5)`)
	for b.Loop() {
		if p, _ := EvaluateBytes("x.star", src, Options{}); p != nil {
			b.Fatal("a plan")
		}
	}
}

// TestManyServicesAreQuick holds the cost of places: an index, not a search for each. The bound is loose on purpose; the
// benchmarks say what it costs.
func TestManyServicesAreQuick(t *testing.T) {
	for _, restart := range []string{`restart(delay = "0s")`, `restart(dely = "0s")`} {
		start := time.Now()
		EvaluateBytes("x.star", thousand(restart), Options{})
		if took := time.Since(start); took > time.Second {
			t.Errorf("%s: took %v", restart, took)
		}
	}
}
