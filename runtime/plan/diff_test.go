package plan

import (
	"reflect"
	"strings"
	"testing"

	"recipe/runtime/expr"
)

// pairOf is a plan and a copy to change.
func pairOf(t *testing.T) (before, after *Plan) {
	t.Helper()
	before = &Plan{Format: Format, Name: "foo",
		Flags: []Flag{
			{Name: "port", Type: FlagPort, Default: expr.IntOf(80), Apply: Apply{Action: ApplyRestart}},
			{Name: "twice", Type: FlagInt, Default: expr.Call(expr.OpMul, expr.FlagOf("port"), expr.IntOf(2)), Apply: Apply{Action: ApplyNone}},
			{Name: "level", Type: FlagString, Default: expr.TextOf("info"), Apply: Apply{Action: ApplySignal, Signal: "HUP"}},
		},
		Services: []Service{
			{Name: "foo", Command: []expr.Expr{expr.PathOf("/usr/bin/foo"), expr.FlagOf("port")}, Restart: DefaultRestart(), Stop: DefaultStop(), Logs: DefaultLogs(),
				Prepare: []Step{{Template: &Template{Path: expr.PathOf("/run/foo"), Text: expr.FlagOf("level"), Mode: 0o644}}}},
			{Name: "bar", Command: []expr.Expr{expr.PathOf("/usr/bin/bar"), expr.FlagOf("twice")}, Restart: DefaultRestart(), Stop: DefaultStop(), Logs: DefaultLogs()},
		}}
	before.Tasks = []Task{
		{Name: "sweep", Command: []expr.Expr{expr.PathOf("/usr/bin/foo"), expr.FlagOf("port")}, Every: 3_600_000, Timeout: 60_000, Logs: DefaultLogs()},
		{Name: "seed", Command: []expr.Expr{expr.PathOf("/usr/bin/foo")}, Prepare: before.Services[0].Prepare, Timeout: 60_000, Logs: DefaultLogs()},
	}
	if problems := before.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	data, err := before.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if after, err = Decode(data); err != nil {
		t.Fatal(err)
	}
	return before, after
}

// TestEffectIsTheSmallest tells what each kind of change puts the services through.
func TestEffectIsTheSmallest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*Plan)
		want   string
	}{
		{"nothing", func(*Plan) {}, "foo none, bar none, sweep none, seed none"},
		{"an argument", func(p *Plan) { p.Services[1].Command = append(p.Services[1].Command, expr.TextOf("-v")) }, "foo none, bar restart, sweep none, seed none"},
		{"a delay", func(p *Plan) { p.Services[0].Restart.Cap = 60_000 }, "foo live, bar none, sweep none, seed none"},
		{"a default, and one that is made of it", func(p *Plan) { p.Flags[0].Default = expr.IntOf(81) }, "foo restart, bar restart, sweep next-start, seed none"},
		{"a default that waits", func(p *Plan) { p.Flags[1].Default = expr.IntOf(3) }, "foo none, bar next-start, sweep none, seed none"},
		{"a default that is signalled", func(p *Plan) { p.Flags[2].Default = expr.TextOf("debug") }, "foo signal HUP, bar none, sweep none, seed next-start"},
		{"the greatest counts", func(p *Plan) { p.Flags[2].Default = expr.TextOf("debug"); p.Flags[0].Default = expr.IntOf(81) }, "foo restart, bar restart, sweep next-start, seed next-start"},
		{"an argument of tasks", func(p *Plan) {
			for i := range p.Tasks {
				p.Tasks[i].Command = append(p.Tasks[i].Command, expr.TextOf("-v"))
			}
		}, "foo none, bar none, sweep next-start, seed restart"},
		{"an interval", func(p *Plan) { p.Tasks[0].Every = 60_000 }, "foo none, bar none, sweep live, seed none"},
		{"one task less", func(p *Plan) { p.Tasks = p.Tasks[:1] }, "foo none, bar none, sweep none, seed stop"},
		{"a socket", func(p *Plan) {
			p.Services[0].Listen = []Socket{{Name: "web", Type: Stream, Port: expr.IntOf(1), Backlog: 1}}
		}, "foo restart, bar none, sweep none, seed none"},
		{"help", func(p *Plan) { p.Flags[0].Help = "x" }, "foo none, bar none, sweep none, seed none"},
		{"one less", func(p *Plan) { p.Services = p.Services[:1] }, "foo none, bar stop, sweep none, seed none"},
		{"another name", func(p *Plan) { p.Services[1].Name = "baz" }, "foo none, bar stop, sweep none, seed none, baz start"},
	} {
		before, after := pairOf(t)
		test.change(after)
		effects, err := Effects(before, after)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range effects {
			got = append(got, strings.TrimSpace(e.Service+" "+string(e.Action)+" "+e.Signal))
		}
		if strings.Join(got, ", ") != test.want {
			t.Errorf("%s: got %s, want %s", test.name, strings.Join(got, ", "), test.want)
		}
	}
}

// TestChangesNameTheirPlace finds an element by its name, or by its neighbours where it has none.
func TestChangesNameTheirPlace(t *testing.T) {
	t.Parallel()
	before, after := pairOf(t)
	s := &after.Services[0]
	s.Command = []expr.Expr{s.Command[0], expr.TextOf("-v"), s.Command[1]}
	s.Prepare[0].Template.Mode = 0o600
	s.Prepare = append([]Step{{RequirePortFree: &RequirePortFree{Port: expr.IntOf(1)}}}, s.Prepare...)
	after.Services = []Service{after.Services[1], after.Services[0]}
	after.Flags = after.Flags[:2]
	got, err := Changes(before, after)
	if err != nil {
		t.Fatal(err)
	}
	want := []Change{
		{Path: "flags[level]", Old: `{"name": "level", "type": "string", "default": "info", "apply": {"action": "signal", "signal": "HUP"}}`},
		{Path: "services[foo].command[1]", New: `"-v"`},
		{Path: "services[foo].prepare[0]", Old: `{"template": {"path": {"path": "/run/foo"}, "text": {"flag": "level"}, "mode": "0644"}}`, New: `{"require_port_free": {"port": 1}}`},
		{Path: "services[foo].prepare[1]", New: `{"template": {"path": {"path": "/run/foo"}, "text": {"flag": "level"}, "mode": "0600"}}`},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestChangesSayAllOfIt aligns every two lists of up to four of three things: what is neither taken away nor added is in
// both, and what both begin with is.
func TestChangesSayAllOfIt(t *testing.T) {
	t.Parallel()
	lists := func(n int) (all [][]any) {
		all = [][]any{{}}
		for i := 0; i < len(all) && len(all[i]) < n; i++ {
			for _, s := range []scalar{"1", "2", "3"} {
				all = append(all, append(append([]any{}, all[i]...), s))
			}
		}
		return all
	}
	for _, x := range lists(4) {
		for _, y := range lists(4) {
			taken, added, common := 0, 0, 0
			for _, p := range align(x, y) {
				if p.a != nil {
					taken++
				}
				if p.b != nil {
					added++
				}
			}
			for common < min(len(x), len(y)) && x[common] == y[common] {
				common++
			}
			if kept := len(x) - taken; kept != len(y)-added || kept < common {
				t.Errorf("%v -> %v: %d taken away, %d added", x, y, taken, added)
			}
		}
	}
}
