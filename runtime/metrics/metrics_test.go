package metrics

import (
	"bytes"
	"flag"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"recipe/runtime/control"
)

var update = flag.Bool("update", false, "write the golden files")

// sample is a supervisor with one of everything.
func sample() *Snapshot {
	at := time.UnixMilli(1_770_000_000_500)
	healthy := false
	slow := Histogram{}
	for _, d := range []time.Duration{400 * time.Microsecond, time.Millisecond, 30 * time.Millisecond, time.Minute} {
		slow.Add(d)
	}
	return &Snapshot{
		Version: "v1.2.3", Go: "go1.26", Containment: "cgroup", Started: at, Goroutines: 30, MostFiles: 1 << 20, Heap: 1 << 20, Mapped: 10 << 20,
		Self:    Usage{Memory: 20 << 20, Virtual: 1 << 30, CPU: 1500 * time.Millisecond, Descriptors: 40, Processes: 1},
		Recipes: []Recipe{{Name: "shop", Digest: "sha256:0123", Refused: true}, {Name: "never"}},
		Services: []Service{
			{
				Name: "web", Recipe: "shop", State: "unhealthy", Wanted: true, Healthy: &healthy, Restarts: [len(Causes)]uint64{BySignal: 2, ByOperator: 1},
				Exit: &Exit{Code: 137, At: at}, Executed: at, Start: 15 * time.Millisecond, Ready: 70 * time.Millisecond, Stalls: 1,
				Probes: []Probe{{Name: `http 80/"\` + "\n\xff", Results: [len(Results)]uint64{Success: 3, Failure: 1, Inconclusive: 1}, Took: slow}},
				Usage:  &Usage{Memory: 5 << 20, CPU: 2250 * time.Millisecond, Descriptors: 7, Processes: 2}, Log: Log{Bytes: 1234, Dropped: 5},
			},
			{Name: "idle", Recipe: "shop", State: "stopped"},
			{
				Name: "backup", Recipe: "shop", State: "waiting", Up: true, Wanted: true,
				Task: &Task{Runs: 4, Failures: 1, Succeeded: at, Ended: at.Add(time.Hour), Took: 90 * time.Second},
			},
		},
	}
}

func written(t *testing.T, s *Snapshot, format Format) string {
	t.Helper()
	var out bytes.Buffer
	if err := s.Write(&out, format); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// What Prometheus is told of everything, in both formats; -update writes it.
func TestExposition(t *testing.T) {
	t.Parallel()
	for format, file := range map[Format]string{Text: "testdata/text.txt", OpenMetrics: "testdata/openmetrics.txt"} {
		got := written(t, sample(), format)
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s differs; -update writes it:\n%s", file, got)
		}
		if _, err := parse(got, format); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

// A histogram's buckets are cumulative and end with all.
func TestHistogram(t *testing.T) {
	t.Parallel()
	all, err := parse(written(t, sample(), Text), Text)
	if err != nil {
		t.Fatal(err)
	}
	for le, want := range map[string]float64{"0.001": 2, "0.0025": 2, "0.025": 2, "0.05": 3, "10.0": 3, "+Inf": 4} {
		found := false
		for _, s := range all {
			if s.name == "recipe_probe_duration_seconds_bucket" && s.labels["le"] == le {
				if found = true; s.value != want {
					t.Errorf("le %s: %v, want %v", le, s.value, want)
				}
			}
		}
		if !found {
			t.Errorf("there is no bucket %s", le)
		}
	}
}

// Every name is as Prometheus has them, and told once.
func TestNames(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, m := range Table() {
		switch {
		case known[m.Name]:
			t.Errorf("%s is there twice", m.Name)
		case (m.Type == Counter) != strings.HasSuffix(m.Name, "_total"):
			t.Errorf("%s is a %s", m.Name, m.Type)
		case (m.Type == Info) != strings.HasSuffix(m.Name, "_info"):
			t.Errorf("%s is of type %s", m.Name, m.Type)
		case !strings.HasPrefix(m.Name, "recipe_") && !strings.HasPrefix(m.Name, "process_") && !strings.HasPrefix(m.Name, "go_"):
			t.Errorf("%s is nobody's", m.Name)
		case !strings.HasSuffix(m.Help, ".") || strings.ContainsAny(m.Help, "\n\\\""):
			t.Errorf("the help of %s is no plain sentence: %q", m.Name, m.Help)
		}
		known[m.Name] = true
	}
}

// A state that the control API has is shown.
func TestStatesAreAll(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../control/control.go")
	if err != nil {
		t.Fatal(err)
	}
	known := regexp.MustCompile(`(?m)^\t\w+ +State += "(\w+)"`).FindAllSubmatch(source, -1)
	if len(known) < 8 {
		t.Fatalf("only %d states are found", len(known))
	}
	for _, state := range known {
		if !slices.Contains(States[:], control.State(state[1])) {
			t.Errorf("%s is not shown", state[1])
		}
	}
}

// Whatever a recipe calls a service or a probe, what is written can be read back.
func FuzzLabels(f *testing.F) {
	f.Add("web", "tcp 80")
	f.Add("\\\"\n\x00\xff", strings.Repeat("é", 200))
	f.Fuzz(func(t *testing.T, service, probe string) {
		s := &Snapshot{Services: []Service{{Name: service, Probes: []Probe{{Name: probe}}}}}
		for _, format := range []Format{Text, OpenMetrics} {
			var out bytes.Buffer
			s.Write(&out, format)
			all, err := parse(out.String(), format)
			if err != nil {
				t.Fatal(err)
			}
			want := string([]rune(service)) // what is no UTF-8 is U+FFFD
			for _, one := range all {
				if one.name == "recipe_service_up" && len(service) <= longest && one.labels["service"] != want {
					t.Errorf("%q is shown as %q", service, one.labels["service"])
				}
			}
		}
	})
}

func BenchmarkWrite(b *testing.B) {
	s := sample()
	web := s.Services[0]
	for range 1000 {
		s.Services = append(s.Services, web)
	}
	var out bytes.Buffer
	b.ReportAllocs()
	for b.Loop() {
		out.Reset()
		s.Write(&out, Text)
	}
	b.SetBytes(int64(out.Len()))
}
