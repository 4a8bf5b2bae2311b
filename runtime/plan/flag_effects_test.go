package plan

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"recipe/runtime/expr"
)

// TestEffects: service by service, with what changes because a default names the flag.
func TestFlagEffects(t *testing.T) {
	t.Parallel()
	hup, none := Apply{Action: ApplySignal, Signal: "HUP"}, Apply{Action: ApplyNone}
	p := &Plan{Flags: []Flag{
		{Name: "port", Type: FlagPort, Default: expr.IntOf(1), Apply: Apply{Action: ApplyRestart}},
		{Name: "level", Type: FlagInt, Default: expr.IntOf(1), Apply: hup},
		{Name: "quiet", Type: FlagInt, Default: expr.FlagOf("level"), Apply: none},
		{Name: "asked", Type: FlagPort, Default: expr.FlagOf("port"), Apply: hup},
		{Name: "unused", Type: FlagInt, Default: expr.IntOf(1), Apply: Apply{Action: ApplyRestart}},
	}, Services: []Service{
		{Name: "a", Command: []expr.Expr{expr.TextOf("/a"), expr.FlagOf("port"), expr.FlagOf("quiet")},
			Prepare: []Step{{Template: &Template{Path: expr.PathOf("/x"), Text: expr.FlagOf("level")}}}},
		{Name: "b", Command: []expr.Expr{expr.TextOf("/b")}, Probes: []Probe{{TCP: &TCPProbe{Port: expr.FlagOf("asked")}}}},
	}}
	effects := func(a, b EffectAction, signal string) []Effect {
		return []Effect{{Service: "a", Action: a, Signal: signal}, {Service: "b", Action: b}}
	}
	for _, test := range []struct {
		flag string
		want []Effect
	}{
		{"port", effects(EffectRestart, EffectLive, "")},
		{"level", effects(EffectSignal, EffectNone, "HUP")},
		{"quiet", effects(EffectNext, EffectNone, "")},
		{"asked", effects(EffectNone, EffectLive, "")},
		{"unused", effects(EffectNone, EffectNone, "")},
	} {
		got := p.FlagEffects(test.flag, func(string) bool { return false })
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s: %s", test.flag, diff)
		}
	}
	p.Flags[2].Apply = Apply{Action: ApplyRestart}
	if got := p.FlagEffects("level", func(string) bool { return false }); got[0].Action != EffectRestart || got[0].Signal != "" {
		t.Errorf("a default that names the flag: %v", got)
	}
	if got := p.FlagEffects("level", func(name string) bool { return name == "quiet" }); got[0].Action != EffectSignal {
		t.Errorf("a flag that is set stays as it is: %v", got)
	}
}

// TestFlagEffectsOnTasksAndSockets: a task is never signalled, and shows a change at its next run; a socket moves.
func TestFlagEffectsOnTasksAndSockets(t *testing.T) {
	t.Parallel()
	command := func(flag string) []expr.Expr { return []expr.Expr{expr.TextOf("/a"), expr.FlagOf(flag)} }
	p := &Plan{Flags: []Flag{
		{Name: "port", Type: FlagPort, Default: expr.IntOf(1), Apply: Apply{Action: ApplyRestart}},
		{Name: "level", Type: FlagInt, Default: expr.IntOf(1), Apply: Apply{Action: ApplySignal, Signal: "HUP"}},
		{Name: "later", Type: FlagPort, Default: expr.IntOf(1), Apply: Apply{Action: ApplyNone}},
	}, Services: []Service{
		{Name: "web", Command: []expr.Expr{expr.TextOf("/web")}, Listen: []Socket{{Name: "http", Port: expr.FlagOf("port")}, {Name: "admin", Port: expr.FlagOf("later")}}},
	}, Tasks: []Task{
		{Name: "once", Command: command("port")},
		{Name: "often", Command: command("port"), Every: hour},
		{Name: "read", Command: []expr.Expr{expr.TextOf("/a")}, Prepare: []Step{{Template: &Template{Path: expr.PathOf("/x"), Text: expr.FlagOf("level")}}}},
	}}
	for flag, want := range map[string][]Effect{
		"port": {{Service: "web", Action: EffectRestart, Why: "its socket http moves"}, {Service: "once", Action: EffectRestart},
			{Service: "often", Action: EffectNext}, {Service: "read", Action: EffectNone}},
		"level": {{Service: "web", Action: EffectNone}, {Service: "once", Action: EffectNone}, {Service: "often", Action: EffectNone},
			{Service: "read", Action: EffectNext}},
		"later": {{Service: "web", Action: EffectNext, Why: "its socket admin moves"}, {Service: "once", Action: EffectNone}, {Service: "often", Action: EffectNone},
			{Service: "read", Action: EffectNone}},
	} {
		got := p.FlagEffects(flag, func(string) bool { return false })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", flag, diff)
		}
	}
}
