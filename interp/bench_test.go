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

// many is a recipe of many services. None has a probe, so that each earns a warning that has a place.
func many(services int, restart string) []byte {
	var b strings.Builder
	for i := range services {
		fmt.Fprintf(&b, "service(name = \"s%04d\", command = [\"/x/benchd\", \"/sock\", \"s%04d\", \"sleep\"], restart = %s)\n", i, i, restart)
	}
	return []byte(b.String())
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

// TestPlacesAreIndexed holds the cost of finding places: four times the services may cost four times as much, not
// sixteen times. The least of several runs is compared, since other tests run beside this one.
func TestPlacesAreIndexed(t *testing.T) {
	cost := func(services int) time.Duration {
		src := many(services, `restart(delay = "0s")`)
		least := time.Hour
		for range 4 {
			start := time.Now()
			if p, list := EvaluateBytes("x.star", src, Options{}); p == nil || len(list) != services {
				t.Fatal(list)
			}
			least = min(least, time.Since(start))
		}
		return least
	}
	if few, lots := cost(500), cost(2000); lots > 11*few {
		t.Errorf("500 services took %v, 2000 took %v", few, lots)
	}
}
