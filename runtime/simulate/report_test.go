package simulate

import (
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// usual is a service as recipes make it that say nothing, with one probe that kills.
func usual() Service {
	return Service{Name: "usual", Config: supervise.Config{
		Restart: plan.Restart{Delay: 100, Cap: 30_000, JitterPermille: 200, StableAfter: 60_000}, Stop: plan.DefaultStop(),
		Probes: []plan.Probe{{TCP: &plan.TCPProbe{}, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1, StartWithin: 60_000}},
	}}
}

func profileOf(t *testing.T, name string) Profile {
	t.Helper()
	all := Profiles()
	i := slices.IndexFunc(all, func(p Profile) bool { return p.Name == name })
	if i < 0 {
		t.Fatalf("no profile %s", name)
	}
	return all[i]
}

func result(t *testing.T, s Service, profile string, years float64) *Result {
	t.Helper()
	results, err := Run([]Service{s}, profileOf(t, profile), years, 1)
	if err != nil {
		t.Fatal(err)
	}
	return &results[0]
}

// TestSameSeedSameYears compares one processor with several.
func TestSameSeedSameYears(t *testing.T) {
	run := func() []Result {
		results, err := Run(fleet()[1:3], profileOf(t, "rough"), 1, 7)
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	several := run()
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	if one := run(); !reflect.DeepEqual(one, several) {
		t.Errorf("on one processor:\n%+v\non %d:\n%+v", one, before, several)
	}
}

// TestAHangIsFoundWhenTheProbesSay: asked every 10 s, three failures of 2 s each take 22 to 32 s, and then it comes up.
func TestAHangIsFoundWhenTheProbesSay(t *testing.T) {
	r := result(t, usual(), "hang", 20)
	up := ordinary.prepare.most + ordinary.up.most + time.Second
	if r.Worst > 32*time.Second+up || r.ToRecover() < 22*time.Second || r.ToRecover() > 32*time.Second {
		t.Errorf("the worst outage %s, the mean %s", r.Worst, r.ToRecover())
	}
	if r.Hung != r.Outages || r.FalseKills > 0 || r.Restarts != r.Outages {
		t.Errorf("%d outages by hangs, %d kills, %d of them false, %d restarts", r.Outages, r.Hung, r.FalseKills, r.Restarts)
	}
	if expected := 12 * 20; r.Outages < expected*8/10 || r.Outages > expected*12/10 {
		t.Errorf("%d hangs; the profile has %d", r.Outages, expected)
	}
	if len(r.Advice) == 0 || !strings.HasPrefix(r.Advice[0].Change, "probe 1: every = ") || r.Advice[0].After > r.Advice[0].Before/3 {
		t.Errorf("the advice is %+v", r.Advice)
	}
}

// TestADaemonThatIsHeardIsFound: one that has to say within 30 s that it is alive is found within 30 s when it hangs.
func TestADaemonThatIsHeardIsFound(t *testing.T) {
	s := usual()
	ready := plan.Probe{Notify: &plan.NotifyProbe{}, Role: plan.RoleStartup, Failures: 1, Successes: 1, StartWithin: 60_000}
	alive := plan.Probe{Notify: &plan.NotifyProbe{}, Every: 30_000, Failures: 1, Successes: 1, StartWithin: 60_000}
	line := plan.Probe{LogLine: &plan.LogProbe{Pattern: "ready"}, Role: plan.RoleReadiness, Failures: 1, Successes: 1, StartWithin: 60_000}
	s.Config.Probes = []plan.Probe{ready, alive, line}
	r := result(t, s, "hang", 20)
	if r.Outages < 150 || r.Hung != r.Outages || r.Worst > 36*time.Second || r.ToRecover() < 15*time.Second {
		t.Errorf("%d outages, %d kills, the worst outage %s, the mean %s", r.Outages, r.Hung, r.Worst, r.ToRecover())
	}
}

// TestAdviceIsOfWhatHurts simulates services with one thing wrong each.
func TestAdviceIsOfWhatHurts(t *testing.T) {
	blind, hasty, strict, sluggish := usual(), usual(), usual(), usual()
	blind.Config.Probes = nil
	hasty.Config.Probes[0].StartWithin = 5000
	strict.Config.Probes[0].Failures, strict.Config.Probes[0].Every = 1, 2000
	sluggish.Config.Restart.Delay, sluggish.Config.Restart.Cap = 600_000, 3_600_000
	for _, test := range []struct {
		what    string
		s       Service
		profile string
		advice  string
	}{
		{"hangs without a probe", blind, "hang", "declare a probe"},
		{"a start that is given too little time", hasty, "recovery", "every probe: start_within"},
		{"one failure that kills", strict, "slow", "probe 1: failures"},
		{"long delays", sluggish, "loop", "restart(cap"},
	} {
		r := result(t, test.s, test.profile, 6)
		if !slices.ContainsFunc(r.Advice, func(a Advice) bool { return strings.HasPrefix(a.Change, test.advice) }) {
			t.Errorf("%s: the advice is %+v", test.what, r.Advice)
		}
	}
	if r := result(t, usual(), "crash", 6); len(r.Advice) > 0 {
		t.Errorf("crashes alone, which cost their start: the advice is %+v", r.Advice)
	}
}

// TestTimeIsAccountedFor: what was wanted is what was simulated, and the downtime is the sum of its phases and of its
// causes.
func TestTimeIsAccountedFor(t *testing.T) {
	for _, p := range Profiles() {
		results, err := measure([]Service{usual()}, p, 5.25, 3)
		if err != nil {
			t.Fatal(err)
		}
		r := &results[0]
		var phases, causes time.Duration
		outages := 0
		for _, spent := range r.Phases {
			phases += spent.Time
		}
		for _, c := range r.Causes {
			causes += c.Downtime
			outages += c.Outages
		}
		if phases != r.Downtime || causes != r.Downtime || outages != r.Outages {
			t.Errorf("%s: %s without service, of phases %s, of causes %s; %d outages, of causes %d", p.Name, r.Downtime, phases, causes, r.Outages, outages)
		}
		if whole := time.Duration(5.25 * float64(yearLength)); r.Time > whole || r.Time < whole-time.Hour {
			t.Errorf("%s: %s were simulated of %s", p.Name, r.Time, whole)
		}
	}
}

// TestAHostIsDownForAllOfItsServices: what befalls the host costs every service as much.
func TestAHostIsDownForAllOfItsServices(t *testing.T) {
	other := usual()
	other.Name = "other"
	results, err := measure([]Service{usual(), other}, profileOf(t, "host"), 5, 3)
	if err != nil {
		t.Fatal(err)
	}
	a, b := results[0].Phases[0], results[1].Phases[0]
	if a.What != hostDown.String() || b.What != a.What || a.Time == 0 || (a.Time-b.Time).Abs() > time.Minute {
		t.Errorf("%+v, and %+v", a, b)
	}
}

// TestEveryFaultOfAProfileIsKnown holds the profiles to the faults that there are.
func TestEveryFaultOfAProfileIsKnown(t *testing.T) {
	for _, p := range Profiles() {
		for _, r := range p.Rates {
			if kinds[r.What] == nil || r.PerYear <= 0 || r.Source == "" || r.Most < r.Least {
				t.Errorf("%s: %+v", p.Name, r)
			}
		}
	}
}
