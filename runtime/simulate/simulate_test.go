package simulate

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

var (
	seedFlag  = flag.Int64("seed", -1, "simulate this host alone")
	hostsFlag = flag.Int("hosts", 43, "simulate that many hosts")
	briefFlag = flag.Bool("brief", false, "tell which rule is broken, and do not look for the fewest faults that break it")
)

const (
	year     = 365 * 24 * time.Hour
	halfYear = year / 2
)

// nasty are the times of a host where everything may take long.
var nasty = nature{
	prepare: span{time.Millisecond, 3 * time.Second}, up: span{time.Millisecond, 10 * time.Second},
	bad: span{time.Millisecond, 5 * time.Second}, end: span{time.Millisecond, 30 * time.Second},
	answer: span{100 * time.Microsecond, 300 * time.Millisecond}, task: span{10 * time.Millisecond, 20 * time.Minute},
	message: span{10 * time.Microsecond, 5 * time.Millisecond},
}

// fleet are services of every kind: with probes of each role and without, before and after one another; and tasks.
func fleet() []Service {
	probe := func(role plan.Role, every, timeout, within plan.Duration, failures, successes int) plan.Probe {
		return plan.Probe{TCP: &plan.TCPProbe{}, Role: role, Every: every, Timeout: timeout, Failures: failures, Successes: successes, StartWithin: within}
	}
	live := probe(plan.RoleLiveness, 10_000, 2000, 60_000, 3, 1)
	ready := probe(plan.RoleReadiness, 5000, 1000, 1000, 2, 2)
	up := probe(plan.RoleStartup, 1000, 500, 30_000, 5, 1)
	eager := probe(plan.RoleLiveness, 1000, 500, 5000, 1, 2)
	config := func(jitter int, probes ...plan.Probe) supervise.Config {
		return supervise.Config{Restart: plan.Restart{Delay: 1000, Cap: 60_000, JitterPermille: jitter, StableAfter: 60_000}, Stop: plan.DefaultStop(), Probes: probes}
	}
	heard := live
	heard.TCP, heard.Notify, heard.Timeout = nil, &plan.NotifyProbe{}, 0
	word := heard
	word.Role, word.Every, word.Failures = plan.RoleStartup, 0, 1
	hourly := supervise.TaskConfig{Every: 6 * time.Hour, Jitter: time.Minute, Timeout: 10 * time.Minute, Phase: 20 * time.Minute, Stop: plan.DefaultStop()}
	retried := hourly
	retried.Restart = &plan.Restart{Delay: 1000, Cap: 600_000, JitterPermille: 200}
	once := supervise.TaskConfig{Timeout: 10 * time.Minute, Restart: &plan.Restart{Delay: 1000, Cap: 8000}, Stop: plan.DefaultStop()}
	return []Service{
		{Name: "plain", Config: config(0)},
		{Name: "asked", Config: config(200, live)},
		{Name: "roles", Config: config(100, live, ready, up)},
		{Name: "eager", Config: config(0, eager, live)},
		{Name: "second", Config: config(200, ready), After: []string{"asked"}},
		{Name: "third", Config: config(200, live, up), After: []string{"second", "plain"}},
		{Name: "says", Config: config(100, word, heard, ready)},
		{Name: "hourly", Task: &hourly},
		{Name: "retried", Task: &retried},
		{Name: "once", Task: &once},
	}
}

// worst draws what befalls a host: now and then several things at once, within milliseconds or minutes of one another.
func worst(seed uint64, services int, end time.Duration) []Fault {
	r := rand.New(rand.NewPCG(seed, 1))
	names := make([]string, 0, len(kinds))
	for name := range kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	names = append(names, "start", "restart", "stop", "start", "restart", "stop") // which race one another
	var faults []Fault
	for at := time.Duration(0); at < end; at += time.Duration(r.ExpFloat64() * float64(12*time.Hour)) {
		when := at
		first, width := r.IntN(services), 1+r.IntN(services)
		for range 1 + r.IntN(24) {
			f := Fault{At: when, What: names[r.IntN(len(names))], Service: (first + r.IntN(width)) % services}
			switch f.What {
			case "clock on", "clock back":
				f.For = between(r, time.Second, year)
			case "stop for good": // and only now and then
				if r.IntN(4) > 0 {
					f.What = "start"
				}
			case "change":
				f.For = time.Duration(r.IntN(12))
			default:
				f.For = between(r, 10*time.Millisecond, 10*time.Minute)
			}
			faults = append(faults, f)
			when += between(r, 100*time.Microsecond, 5*time.Minute)
		}
	}
	return faults
}

// host simulates one with its faults, and tells which rule it broke.
func host(seed uint64, services []Service, faults []Fault, end time.Duration, trace func(string), ways map[way]int) *world {
	w := newWorld(services, nasty, seed)
	w.instant, w.trace, w.ways = bothClocks, trace, ways
	w.schedule(faults)
	w.run(end)
	return w
}

// TestSimulation lives through 150 daemon-years in which everything goes wrong, and holds every step to the rules: 43 hosts,
// each with seven services, and three tasks beside them, for half a year. It takes 10 s of a processor.
func TestSimulation(t *testing.T) {
	seeds := make([]uint64, *hostsFlag)
	for i := range seeds {
		seeds[i] = uint64(i)
	}
	if *seedFlag >= 0 {
		seeds = []uint64{uint64(*seedFlag)}
	}
	var mu sync.Mutex
	ways, steps := map[way]int{}, 0
	var group sync.WaitGroup
	next := make(chan uint64)
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for seed := range next {
				mine := map[way]int{}
				w := host(seed, fleet(), worst(seed, len(fleet()), halfYear), halfYear, nil, mine)
				mu.Lock()
				steps += w.steps
				for k, n := range mine {
					ways[k] += n
				}
				mu.Unlock()
				switch {
				case w.broken != nil && *briefFlag:
					t.Error(w.broken)
				case w.broken != nil:
					t.Error(story(seed, w.broken))
				}
			}
		})
	}
	for _, seed := range seeds {
		if !t.Failed() {
			next <- seed
		}
	}
	close(next)
	group.Wait()
	t.Logf("%d steps", steps)
	if *seedFlag < 0 && !t.Failed() {
		for _, book := range []map[way]bool{serviceBook, taskBook} {
			for k := range book {
				if ways[k] == 0 {
					t.Errorf("no %s ever led from %s to %s: the simulation does not know it", k.event, k.from, k.to)
				}
			}
		}
	}
}

// TestNoServiceIsTouchedByAnothersFate simulates hosts again with the faults of one service alone, and of the host: what
// that service goes through is the same to the microsecond, also over kills of its supervisor. An end of that by order it
// shares with others, and slots.
func TestNoServiceIsTouchedByAnothersFate(t *testing.T) {
	t.Parallel()
	services := slices.DeleteFunc(fleet(), func(s Service) bool { return len(s.After) > 0 })
	end := halfYear / 6
	for seed := range uint64(3) {
		faults := slices.DeleteFunc(worst(seed, len(services), end), func(f Fault) bool { return f.What == "upgrade" })
		life := func(name string, faults []Fault) (lines []string) {
			w := newWorld(services, nasty, seed)
			w.trace = func(line string) {
				if strings.Contains(line, "  "+name+": ") {
					lines = append(lines, line)
				}
			}
			w.instant, w.starts = bothClocks, 1000
			w.schedule(faults)
			if w.run(end); w.broken != nil {
				t.Fatal(w.broken)
			}
			return lines
		}
		for i, s := range services {
			alone := slices.DeleteFunc(slices.Clone(faults), func(f Fault) bool { return f.Service != i && !hostWide[f.What] })
			all, own := life(s.Name, faults), life(s.Name, alone)
			at := 0
			for at < min(len(all), len(own)) && all[at] == own[at] {
				at++
			}
			if len(all) < 100 || at < max(len(all), len(own)) {
				t.Fatalf("seed %d, %s: %d steps among others, %d alone; from step %d on they differ:\n%s\n%s", seed, s.Name, len(all), len(own), at,
					strings.Join(all[at:min(at+2, len(all))], "\n"), strings.Join(own[at:min(at+2, len(own))], "\n"))
			}
		}
	}
}

// story tells what broke a rule: the fewest faults that do, and the steps from the first of them on.
func story(seed uint64, broken *Violation) string {
	all := worst(seed, len(fleet()), broken.At+1)
	breaks := func(faults []Fault) *Violation {
		w := host(seed, fleet(), faults, broken.At+time.Hour, nil, nil)
		if w.broken != nil && w.broken.Rule == broken.Rule {
			return w.broken
		}
		return nil
	}
	few := shrink(all, func(faults []Fault) bool { return breaks(faults) != nil })
	last := breaks(few)
	if last == nil {
		return fmt.Sprintf("seed %d: %v; it does not break again", seed, broken)
	}
	var lines []string
	host(seed, fleet(), few, last.At+time.Second, func(line string) { lines = append(lines, line) }, nil)
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %v\n%d faults, shrunk to %d:\n", seed, last, len(all), len(few))
	for _, f := range few {
		fmt.Fprintf(&b, "    %v\n", f)
	}
	fmt.Fprintf(&b, "the last steps:\n")
	for _, line := range lines[max(0, len(lines)-60):] {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	fmt.Fprintf(&b, "again: go test ./runtime/simulate -run 'TestSimulation$' -seed %d", seed)
	return b.String()
}

// shrink leaves out of a list all that is not needed for what holds of it: Zeller's delta debugging.
func shrink[T any](list []T, holds func([]T) bool) []T {
	for pieces := 2; len(list) > 0; {
		size := (len(list) + pieces - 1) / pieces
		smaller := false
		for from := 0; from < len(list); from += size {
			rest := slices.Concat(list[:from], list[min(from+size, len(list)):])
			if holds(rest) {
				list, pieces, smaller = rest, max(pieces-1, 2), true
				break
			}
		}
		if !smaller {
			if size == 1 {
				break
			}
			pieces = min(2*pieces, len(list))
		}
	}
	return list
}
