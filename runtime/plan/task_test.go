package plan

import (
	"testing"

	"recipe/runtime/expr"
)

// TestIntervalsOfTheCalendar: what is accepted fills a larger unit, and is what a systemd timer can say.
func TestIntervalsOfTheCalendar(t *testing.T) {
	for text, want := range map[string]struct {
		calendar string // "" where the interval is refused
		nearest  string
	}{
		"999ms": {"", "1s"}, "1s": {"*-*-* *:*:00/1 UTC", "1s"}, "7s": {"", "10s"}, "30s": {"*-*-* *:*:00/30 UTC", "30s"},
		"90s": {"", "2m"}, "15m": {"*-*-* *:00/15:00 UTC", "15m"}, "45m": {"", "1h"}, "1h": {"*-*-* 00/1:00:00 UTC", "1h"},
		"5h": {"", "6h"}, "6h": {"*-*-* 00/6:00:00 UTC", "6h"}, "24h": {"*-*-* 00:00:00 UTC", "24h"}, "1d": {"*-*-* 00:00:00 UTC", "24h"},
		"36h": {"", "168h"}, "7d": {"Thu *-*-* 00:00:00 UTC", "168h"}, "30d": {"", "168h"},
	} {
		ms, err := expr.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		d := Duration(ms)
		if got := d.CalendarSlots(); got != (want.calendar != "") {
			t.Errorf("%s: accepted %t", text, got)
		}
		if want.calendar != "" && d.OnCalendar() != want.calendar {
			t.Errorf("%s: systemd is told %q, want %q", text, d.OnCalendar(), want.calendar)
		}
		if got := nearestSlots(d); got.String() != want.nearest || !got.CalendarSlots() {
			t.Errorf("%s: the nearest is %s, want %s", text, got, want.nearest)
		}
	}
}

// TestLaunchesAreServicesAndTasks in the order of the plan, with what their launchers need.
func TestLaunchesAreServicesAndTasks(t *testing.T) {
	p := whole()
	var names []string
	for _, s := range p.Launches() {
		names = append(names, s.Name)
		if p.Launch(s.Name) == nil {
			t.Errorf("%s is not found by its name", s.Name)
		}
	}
	if len(names) != 4 || names[0] != "foo" || names[2] != "foo-sweep" || p.Launch("baz") != nil {
		t.Errorf("launches: %v", names)
	}
	sweep := p.Launch("foo-sweep")
	if sweep.User != "foo" || len(sweep.Command) != 2 || len(sweep.Prepare) != 1 || sweep.Limits.NoFile != 1024 || len(sweep.Probes) != 0 {
		t.Errorf("the sweep is launched as %+v", sweep)
	}
}
