package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"recipe/runtime/simulate"
)

type simulateCommand struct {
	File   string  `arg:"" help:"A recipe, a plan's JSON, or - for standard input."`
	Years  float64 `default:"150" help:"Daemon-years of each service, up to 100,000."`
	Faults string  `default:"typical" enum:"${profiles}" placeholder:"PROFILE" help:"What befalls them: ${enum}."`
	Seed   uint64  `default:"1" help:"Of the chances: the same ones give the same answer."`
	JSON   bool    `name:"json" help:"Print JSON."`
}

// Help is the long text of --help.
func (*simulateCommand) Help() string {
	var profiles strings.Builder
	for _, p := range simulate.Profiles() {
		fmt.Fprintf(&profiles, "  %-10s %s\n", p.Name, p.About)
	}
	return `Tells what the recipe's own delays, probes and grace would give: the very machine that supervises lives through years of hosts to which things happen, and then through the same years again with one thing changed, for what to change. No host is touched.

` + profiles.String() + `
How long the daemon takes to come up, what befalls it and how often is the profile's, and not what is known of this daemon. SPEC.md has the rates.

Exit codes: 0 done, 1 it could not be done, 2 wrong usage.`
}

const mostYears = 100_000

// Run simulates and prints.
func (c *simulateCommand) Run(s *Streams) error {
	if !(c.Years > 0 && c.Years <= mostYears) {
		return usagef("--years takes a number above 0, and up to %d", mostYears)
	}
	p, err := evaluate(s, c.File)
	if err != nil {
		return err
	}
	if _, err := someServices(p, ""); err != nil {
		return err
	}
	results, err := simulate.Run(simulate.ServicesOf(p), c.profile(), c.Years, c.Seed)
	if err != nil {
		return fmt.Errorf("cannot simulate %s: a rule of supervision does not hold, which is a mistake of recipe: %w", c.File, err)
	}
	if c.JSON {
		return printJSON(s.Out, c.answer(results))
	}
	for i := range results {
		if i > 0 {
			fmt.Fprintln(s.Out)
		}
		c.print(s.Out, &results[i])
	}
	return nil
}

func (c *simulateCommand) profile() simulate.Profile {
	all := simulate.Profiles()
	return all[slices.IndexFunc(all, func(p simulate.Profile) bool { return p.Name == c.Faults })]
}

// profileNames are the choices of --faults.
func profileNames() string {
	var names []string
	for _, p := range simulate.Profiles() {
		names = append(names, p.Name)
	}
	return strings.Join(names, ",")
}

func (c *simulateCommand) print(w io.Writer, r *simulate.Result) {
	years := r.Time.Hours() / 24 / 365
	perYear := func(n int) float64 { return float64(n) / years }
	fmt.Fprintf(w, "%s: %g daemon-years, faults %s, seed %d\n", r.Service, c.Years, c.Faults, c.Seed)
	fmt.Fprintf(w, "    availability %s, %s a year without service\n", percent(r.Availability(), 4), lasting(time.Duration(float64(r.Downtime)/years)))
	fmt.Fprintf(w, "    %.1f outages a year, the mean time to recover %s, the worst %s", perYear(r.Outages), lasting(r.ToRecover()), lasting(r.Worst))
	if r.WorstOf != "" {
		fmt.Fprintf(w, " (%s)", r.WorstOf)
	}
	fmt.Fprintf(w, "\n    %.1f restarts a year; %d ends of the daemon's own\n", perYear(r.Restarts), r.Deaths)
	fmt.Fprintf(w, "    %d killed by probes, of which %d would have served again by themselves; %d killed after their grace\n", r.Hung, r.FalseKills, r.GraceOver)
	printLost(w, r)
	fmt.Fprintln(w, "  what to change")
	if len(r.Advice) == 0 {
		fmt.Fprintln(w, "    nothing: no other times of probes, delays and grace that were tried save more than 2 %")
	}
	for _, a := range r.Advice {
		fmt.Fprintf(w, "    %s\n        %s\n        %s a year without service, before %s", a.Change, a.Why, lasting(a.After), lasting(a.Before))
		if a.FalseWas+a.FalseIs > 0 {
			fmt.Fprintf(w, "; killed though they would have served again: %d, before %d", a.FalseIs, a.FalseWas)
		}
		if a.Years < c.Years {
			fmt.Fprintf(w, " (tried on %.3g years)", a.Years)
		}
		fmt.Fprintln(w)
	}
}

// printLost shows what counts of the time without service.
func printLost(w io.Writer, r *simulate.Result) {
	part := func(d time.Duration) float64 { return float64(d) / float64(max(r.Downtime, 1)) }
	fmt.Fprintln(w, "  where the time without service goes")
	for _, p := range r.Phases {
		if part(p.Time) >= 0.001 {
			fmt.Fprintf(w, "    %7s  %s\n", percent(part(p.Time), 1), p.What)
		}
	}
	fmt.Fprintln(w, "  what it comes of")
	for _, f := range r.Causes {
		if part(f.Downtime) >= 0.001 {
			fmt.Fprintf(w, "    %7s  %s: %d outages of %s on average, the worst %s\n", percent(part(f.Downtime), 1), f.What, f.Outages,
				lasting(f.Downtime/time.Duration(max(f.Outages, 1))), lasting(f.Worst))
		}
	}
}

// lasting shows a duration, a short one to a tenth of a second.
func lasting(d time.Duration) string {
	if d >= time.Second && d < 10*time.Second {
		return fmt.Sprintf("%.1fs", d.Seconds())
	}
	return span(d)
}

// percent shows a part of 1.
func percent(part float64, digits int) string { return fmt.Sprintf("%.*f %%", digits, 100*part) }

// simulateJSON is the answer as programs read it. Times are seconds.
type simulateJSON struct {
	Years    float64               `json:"years"`
	Faults   string                `json:"faults"`
	Seed     uint64                `json:"seed"`
	Services []simulateServiceJSON `json:"services"`
}

type simulateServiceJSON struct {
	Service       string             `json:"service"`
	Availability  float64            `json:"availability"`
	Seconds       float64            `json:"seconds"`
	Downtime      float64            `json:"downtime_seconds"`
	Outages       int                `json:"outages"`
	MeanToRecover float64            `json:"mean_to_recover_seconds"`
	Worst         float64            `json:"worst_outage_seconds"`
	WorstOf       string             `json:"worst_outage_fault,omitempty"`
	Restarts      int                `json:"restarts"`
	Deaths        int                `json:"deaths"`
	Kills         simulateKillsJSON  `json:"kills"`
	Phases        []simulatePartJSON `json:"phases"`
	Faults        []simulatePartJSON `json:"faults"`
	Advice        []simulateHintJSON `json:"advice"`
}

type simulateKillsJSON struct {
	Probes    int `json:"probes"`
	False     int `json:"false"`
	GraceOver int `json:"grace_over"`
	Leftovers int `json:"leftovers"`
}

type simulatePartJSON struct {
	What     string  `json:"what"`
	Downtime float64 `json:"downtime_seconds"`
	Outages  int     `json:"outages,omitempty"`
	Worst    float64 `json:"worst_seconds,omitempty"`
}

type simulateHintJSON struct {
	Change     string  `json:"change"`
	Why        string  `json:"why"`
	Before     float64 `json:"downtime_seconds_a_year_before"`
	After      float64 `json:"downtime_seconds_a_year_after"`
	FalseWas   int     `json:"false_kills_before"`
	FalseAfter int     `json:"false_kills_after"`
	Years      float64 `json:"years"`
}

func (c *simulateCommand) answer(results []simulate.Result) simulateJSON {
	answer := simulateJSON{c.Years, c.Faults, c.Seed, []simulateServiceJSON{}}
	for i := range results {
		r := &results[i]
		one := simulateServiceJSON{
			Service: r.Service, Availability: r.Availability(), Seconds: r.Time.Seconds(), Downtime: r.Downtime.Seconds(), Outages: r.Outages,
			MeanToRecover: r.ToRecover().Seconds(), Worst: r.Worst.Seconds(), WorstOf: r.WorstOf, Restarts: r.Restarts, Deaths: r.Deaths,
			Kills:  simulateKillsJSON{r.Hung, r.FalseKills, r.GraceOver, r.Leftovers},
			Phases: []simulatePartJSON{}, Faults: []simulatePartJSON{}, Advice: []simulateHintJSON{},
		}
		for _, p := range r.Phases {
			one.Phases = append(one.Phases, simulatePartJSON{What: p.What, Downtime: p.Time.Seconds()})
		}
		for _, f := range r.Causes {
			one.Faults = append(one.Faults, simulatePartJSON{f.What, f.Downtime.Seconds(), f.Outages, f.Worst.Seconds()})
		}
		for _, a := range r.Advice {
			one.Advice = append(one.Advice, simulateHintJSON{a.Change, a.Why, a.Before.Seconds(), a.After.Seconds(), a.FalseWas, a.FalseIs, a.Years})
		}
		answer.Services = append(answer.Services, one)
	}
	return answer
}
