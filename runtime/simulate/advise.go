package simulate

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"recipe/runtime/plan"
)

// Advice is a change of a recipe that made its service better in the same years.
type Advice struct {
	Change   string        // what to write
	Why      string        // what it does
	Before   time.Duration // downtime a year, of the service alone
	After    time.Duration
	FalseWas int // false kills before, in Years
	FalseIs  int
	Years    float64 // that it was tried on
}

// worthIt is the least part of the downtime that a change has to save to be advised.
const worthIt = 0.02

// mostAdvice is how many changes are told at most, the best of each kind first.
const mostAdvice = 3

// variant is a change that is tried.
type variant struct {
	kind   string // of those of one kind the best is told
	change string
	why    string
	do     func(*Service)
}

// effort bounds how many restarts and outages each change is tried on, of all services together: as many years as have so
// many. A change is tried on the hosts that it is compared on, so that a few hundred tell.
const effort = 8000

// advise tries changes of one service on the very same hosts, and tells those that save most. whole is what all the years
// came to.
func advise(s Service, whole *Result, p Profile, years float64, seed uint64, services int) ([]Advice, error) {
	s.After = nil
	years *= min(1, max(effort/float64(services), 400)/float64(1+whole.Restarts+whole.Outages))
	base, err := alone(s, p, years, seed)
	if err != nil {
		return nil, err
	}
	best := map[string]Advice{}
	for _, v := range variants(&s, base) {
		changed := s
		changed.Config.Probes = slices.Clone(s.Config.Probes)
		v.do(&changed)
		r, err := alone(changed, p, years, seed)
		if err != nil {
			return nil, err
		}
		a := Advice{v.change, v.why, base.perYear(base.Downtime), r.perYear(r.Downtime), base.FalseKills, r.FalseKills, years}
		if old, ok := best[v.kind]; a.good() && (!ok || a.better(old)) {
			best[v.kind] = a
		}
	}
	var all []Advice
	for _, a := range best {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b Advice) int { return cmp.Or(cmp.Compare(a.After, b.After), cmp.Compare(a.Change, b.Change)) })
	return all[:min(len(all), mostAdvice)], nil
}

func alone(s Service, p Profile, years float64, seed uint64) (*Result, error) {
	results, err := measure([]Service{s}, p, years, seed)
	if err != nil {
		return nil, err
	}
	return &results[0], nil
}

// good tells whether the change saves enough and kills no more daemons that would have served again; or saves so much that
// it is worth those; or spares a quarter of them, and costs next to nothing.
func (a Advice) good() bool {
	saved := float64(a.Before-a.After) / float64(max(a.Before, 1))
	switch {
	case saved >= 10*worthIt:
		return true
	case saved >= worthIt:
		return a.FalseIs <= a.FalseWas
	}
	return saved > -worthIt && 4*a.FalseIs < 3*a.FalseWas
}

// better prefers what saves clearly more, and else what was tried first: the smaller change.
func (a Advice) better(old Advice) bool {
	return float64(old.After-a.After) > worthIt/2*float64(max(a.Before, 1))
}

// variants are the changes that are tried, those of a kind from the smallest on: of what costs enough to be worth it.
func variants(s *Service, base *Result) []variant {
	var all []variant
	if unnoticed := base.part(unnoticed); unnoticed >= worthIt || base.FalseKills > 0 {
		if !slices.ContainsFunc(s.Config.Probes, func(p plan.Probe) bool { return p.Role != plan.RoleReadiness }) {
			all = declared()
		}
		for i := range s.Config.Probes {
			all = append(all, asked(s, i, unnoticed)...)
		}
	}
	if base.Early > 0 {
		all = append(all, patient(s, base)...)
	}
	if base.part(delayed) >= worthIt {
		all = append(all, sooner(s)...)
	}
	if base.part(stopping) >= worthIt {
		all = append(all, harder(s)...)
	}
	return all
}

// declared is a probe that may kill, where there is none.
func declared() []variant {
	probe := plan.Probe{TCP: &plan.TCPProbe{}, Every: 10_000, Timeout: 2000, Failures: 3, Successes: 1, StartWithin: 60_000}
	return []variant{{
		"probe", "declare a probe that asks the daemon for an answer, such as http(port) or tcp(port, expect = ...)",
		fmt.Sprintf("a hang is found within %s; without one it lasts until somebody sees it", found(&probe)),
		func(s *Service) { s.Config.Probes = append(s.Config.Probes, probe) },
	}}
}

// found is how long a hang lasts at most before it is found: until the next question, and to the end of the last of so many
// in a row that fail.
func found(p *plan.Probe) plan.Duration {
	step := max(p.Every, p.Timeout+plan.Duration(firstPause.Milliseconds()))
	return p.Every + plan.Duration(p.Failures-1)*step + p.Timeout
}

func nameOf(s *Service, i int) string {
	name := fmt.Sprintf("probe %d", i+1)
	if role := s.Config.Probes[i].Role; role != plan.RoleLiveness {
		name += " (" + string(role) + ")"
	}
	return name
}

// asked are other times of a probe that may kill. part is how much of the downtime passes before anything is noticed.
func asked(s *Service, i int, part float64) []variant {
	p := &s.Config.Probes[i]
	if p.Role == plan.RoleReadiness || p.Heard() && p.Role == plan.RoleStartup {
		return nil
	}
	var all []variant
	try := func(parameter, value string, change func(*plan.Probe)) {
		next := *p
		change(&next)
		why := fmt.Sprintf("every %s, %d failures and a timeout of %s find a hang within %s, and what is not found yet is %.0f %% of the time without service; so it is found within %s",
			p.Every, p.Failures, p.Timeout, short(found(p)), 100*part, short(found(&next)))
		if found(&next) > found(p) {
			why = fmt.Sprintf("what passes by itself is given longer, and killed less often; a hang is found within %s, and not %s", short(found(&next)), short(found(p)))
		}
		all = append(all, variant{nameOf(s, i) + parameter, fmt.Sprintf("%s: %s = %s", nameOf(s, i), parameter, value), why, func(s *Service) { change(&s.Config.Probes[i]) }})
	}
	for _, every := range []plan.Duration{5000, 2000, 1000} {
		if every < p.Every {
			try("every", quoted(every), func(p *plan.Probe) { p.Every, p.Timeout = every, min(p.Timeout, every) })
		}
	}
	for _, failures := range []int{p.Failures - 1, p.Failures + 1, 2 * p.Failures, 5 * p.Failures} {
		if failures > 0 && failures != p.Failures {
			try("failures", fmt.Sprint(failures), func(p *plan.Probe) { p.Failures = failures })
		}
	}
	for _, timeout := range []plan.Duration{2 * p.Timeout, 5 * p.Timeout} {
		if timeout <= p.Every && !p.Heard() {
			try("timeout", quoted(timeout), func(p *plan.Probe) { p.Timeout = timeout })
		}
	}
	return all
}

// patient gives daemons longer that come up, to all probes at once.
func patient(s *Service, base *Result) []variant {
	var all []variant
	for _, within := range []plan.Duration{60_000, 300_000, 900_000, 3_600_000} {
		if !slices.ContainsFunc(s.Config.Probes, func(p plan.Probe) bool { return p.Role != plan.RoleReadiness && p.StartWithin < within }) {
			continue
		}
		all = append(all, variant{
			"start_within", "every probe: start_within = " + quoted(within), fmt.Sprintf("a daemon that takes long to come up is given the time; %d were killed while they did", base.Early),
			func(s *Service) {
				for i := range s.Config.Probes {
					s.Config.Probes[i].StartWithin = max(s.Config.Probes[i].StartWithin, within)
				}
			},
		})
	}
	return all
}

// sooner are shorter delays.
func sooner(s *Service) []variant {
	var all []variant
	restart := s.Config.Restart
	for _, limit := range []plan.Duration{10_000, 5000, 1000} {
		if limit < restart.Cap {
			all = append(all, variant{
				"cap", "restart(cap = " + quoted(limit) + ")", fmt.Sprintf("when what ails a daemon has passed, the next start is up to %s away, and not %s", limit, restart.Cap),
				func(s *Service) {
					s.Config.Restart.Cap, s.Config.Restart.Delay = limit, min(restart.Delay, limit)
				},
			})
		}
	}
	for _, delay := range []plan.Duration{1000, 100} {
		if delay < restart.Delay {
			all = append(all, variant{
				"delay", "restart(delay = " + quoted(delay) + ")", fmt.Sprintf("the second start in a row comes after %s, and not %s", delay, restart.Delay),
				func(s *Service) { s.Config.Restart.Delay = delay },
			})
		}
	}
	return all
}

// harder are shorter graces.
func harder(s *Service) []variant {
	var all []variant
	for _, grace := range []plan.Duration{10_000, 5000, 2000} {
		if grace < s.Config.Stop.Grace {
			all = append(all, variant{
				"grace", "stop(grace = " + quoted(grace) + ")", fmt.Sprintf("a daemon that does not heed the stop signal is killed after %s, and not %s", grace, s.Config.Stop.Grace),
				func(s *Service) { s.Config.Stop.Grace = grace },
			})
		}
	}
	return all
}

// short is for sentences: 4.1s, 32s, 3m20s.
func short(d plan.Duration) string {
	if d < 10_000 {
		return d.Std().Round(100 * time.Millisecond).String()
	}
	return d.Std().Round(time.Second).String()
}

func quoted(d plan.Duration) string { return `"` + d.String() + `"` }
