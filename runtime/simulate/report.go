package simulate

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"time"

	"recipe/runtime/plan"
	"recipe/runtime/supervise"
)

// Result is what the years of one service came to.
type Result struct {
	Service  string
	Time     time.Duration // that it was wanted, over all hosts
	Downtime time.Duration // of it, that it did not serve
	Outages  int
	Worst    time.Duration
	WorstOf  string // the fault that the worst outage came of

	Restarts   int
	Deaths     int // of itself, preparation included
	Hung       int // kills by probes
	FalseKills int // of them, of daemons that would have served again by themselves
	Early      int // of those, of daemons that had not come up yet
	GraceOver  int // kills of daemons that did not end in their grace
	Leftovers  int // daemons that left processes behind, which were killed

	Phases []Phase // where the downtime went, the most first
	Causes []Cause // what it came of, the most first
	Advice []Advice
}

// Phase is a part of the downtime.
type Phase struct {
	What string
	Time time.Duration
}

// Availability is the part of the time that the service served, from 0 to 1.
func (r *Result) Availability() float64 {
	if r.Time == 0 {
		return 0
	}
	return 1 - float64(r.Downtime)/float64(r.Time)
}

// ToRecover is the mean length of an outage.
func (r *Result) ToRecover() time.Duration { return r.Downtime / time.Duration(max(r.Outages, 1)) }

// perYear is how much of d falls on a year of the service.
func (r *Result) perYear(d time.Duration) time.Duration {
	return time.Duration(float64(d) * float64(yearLength) / float64(max(r.Time, 1)))
}

// part is how much of the downtime was spent in a phase, from 0 to 1.
func (r *Result) part(p phase) float64 {
	for _, spent := range r.Phases {
		if spent.What == p.String() {
			return float64(spent.Time) / float64(r.Downtime)
		}
	}
	return 0
}

// ServicesOf takes from a plan what is simulated: its services.
func ServicesOf(p *plan.Plan) []Service {
	var all []Service
	for i := range p.Services {
		s := &p.Services[i]
		all = append(all, Service{Name: s.Name, Config: supervise.ConfigOf(s), After: s.After})
	}
	return all
}

// stay is how long one host is simulated: 150 daemon-years are 300 hosts for six months.
const stay = yearLength / 2

// Run simulates years of all services, on as many hosts as there are half years, and finds out what would make them
// better. The same arguments give the same results. An error is a rule of supervision that was broken, which is a mistake of
// this program and not of the recipe.
func Run(services []Service, p Profile, years float64, seed uint64) ([]Result, error) {
	results, err := measure(services, p, years, seed)
	if err != nil {
		return nil, err
	}
	for i := range results {
		if results[i].Advice, err = advise(services[i], &results[i], p, years, seed, len(services)); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// measure simulates hosts, several at a time.
func measure(services []Service, p Profile, years float64, seed uint64) ([]Result, error) {
	all := make([]Result, len(services))
	totals := make([][phases]time.Duration, len(services))
	causes := make([]map[string]Cause, len(services))
	for i, s := range services {
		all[i].Service, causes[i] = s.Name, map[string]Cause{}
	}
	var mu sync.Mutex
	var broken error
	next := make(chan int)
	var group sync.WaitGroup
	left := time.Duration(years * float64(yearLength))
	hosts := int((left + stay - 1) / stay)
	for range min(runtime.GOMAXPROCS(0), hosts) {
		group.Go(func() {
			for n := range next {
				end := min(stay, left-time.Duration(n)*stay)
				w := newWorld(services, ordinary, seed+uint64(n)*0x9e3779b97f4a7c15)
				w.measured = true
				w.schedule(p.faults(services, w.seed, end))
				w.run(end)
				mu.Lock()
				if w.broken != nil && broken == nil {
					broken = w.broken
				}
				for i, sv := range w.services {
					sv.closeMeter()
					all[i].add(&sv.meter, &totals[i], causes[i])
				}
				mu.Unlock()
			}
		})
	}
	for n := range hosts {
		next <- n
	}
	close(next)
	group.Wait()
	for i := range all {
		all[i].sum(&totals[i], causes[i])
	}
	return all, broken
}

// closeMeter ends the measurement where the simulation ends.
func (sv *service) closeMeter() {
	m := &sv.meter
	if !m.began {
		return
	}
	passed := sv.w.now - m.since
	m.total[m.phase] += passed
	if m.phase != serving && m.phase != unwanted {
		m.outage += passed
	}
	m.recovered()
}

func (r *Result) add(m *meter, totals *[phases]time.Duration, causes map[string]Cause) {
	for i, d := range m.total {
		totals[i] += d
	}
	for what, c := range m.causes {
		sum := causes[what]
		causes[what] = Cause{what, sum.Outages + c.Outages, sum.Downtime + c.Downtime, max(sum.Worst, c.Worst)}
	}
	r.Outages += m.outages
	if m.worst > r.Worst || m.worst == r.Worst && m.of < r.WorstOf {
		r.Worst, r.WorstOf = m.worst, m.of
	}
	r.Restarts += m.restarts
	r.Deaths += m.deaths
	r.Hung += m.hung
	r.FalseKills += m.falseKills
	r.Early += m.early
	r.GraceOver += m.graceOver
	r.Leftovers += m.leftovers
}

func (r *Result) sum(totals *[phases]time.Duration, causes map[string]Cause) {
	for i, d := range totals {
		if phase(i) == unwanted {
			continue
		}
		r.Time += d
		if phase(i) != serving && d > 0 {
			r.Downtime += d
			r.Phases = append(r.Phases, Phase{phase(i).String(), d})
		}
	}
	slices.SortStableFunc(r.Phases, func(a, b Phase) int { return cmp.Compare(b.Time, a.Time) })
	for _, c := range causes {
		r.Causes = append(r.Causes, c)
	}
	slices.SortFunc(r.Causes, func(a, b Cause) int {
		return cmp.Or(cmp.Compare(b.Downtime, a.Downtime), cmp.Compare(a.What, b.What))
	})
}
