package interp

import "testing"

func TestTourMakesAPlan(t *testing.T) {
	t.Parallel()
	p, list := Evaluate("testdata/foo.star", Options{})
	if len(list) > 0 || p == nil || p.Name != "foo" || len(p.Services) != 1 || len(p.Services[0].Probes) != 2 {
		t.Fatalf("the tour made %+v:\n%s", p, list)
	}
}

func BenchmarkEvaluate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, list := Evaluate("testdata/foo.star", Options{}); len(list) > 0 {
			b.Fatal(list)
		}
	}
}
