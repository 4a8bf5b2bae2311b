package launch

import (
	"reflect"
	"testing"

	"recipe/runtime/plan"
)

// TestDirectKnowsAllOfASpec sets one field at a time. What a start without a launcher does not give must be left to one, and
// a field that is new is to be thought of here.
func TestDirectKnowsAllOfASpec(t *testing.T) {
	fields := map[string]struct {
		set    func(s *Spec)
		direct bool
	}{
		"Service":  {func(s *Spec) { s.Service = "foo" }, true},
		"Argv":     {func(s *Spec) { s.Argv = []string{"/bin/true", "-v"} }, true},
		"Env":      {func(s *Spec) { s.Env = []string{"A=b"} }, true},
		"Extra":    {func(s *Spec) { s.Extra = []string{"A=b"} }, true},
		"WorkDir":  {func(s *Spec) { s.WorkDir = "/tmp" }, true},
		"Umask":    {func(s *Spec) { s.Umask = new(plan.Mode) }, true},
		"Account":  {func(s *Spec) { s.Account = &Account{Name: "root"} }, true},
		"Tells":    {func(s *Spec) { s.Tells = true }, true},
		"Told":     {func(s *Spec) { s.Told = []string{"A=b"} }, true},
		"Steps":    {func(s *Spec) { s.Steps = []Step{{}} }, false},
		"Listen":   {func(s *Spec) { s.Listen = []string{"a"} }, false},
		"Terminal": {func(s *Spec) { s.Terminal = true }, false},
		"Ready":    {func(s *Spec) { s.Ready = 3 }, false},
		"Limits":   {func(s *Spec) { s.Limits.NoNewPrivs = true }, false},
	}
	kind := reflect.TypeFor[Spec]()
	for i := range kind.NumField() {
		name := kind.Field(i).Name
		field, known := fields[name]
		if !known {
			t.Errorf("nobody has said whether a service with %s can be started without a launcher", name)
			continue
		}
		s := &Spec{Argv: []string{"/bin/true"}}
		field.set(s)
		if _, direct := s.Direct(); direct != field.direct {
			t.Errorf("%s: direct is %t, want %t", name, direct, field.direct)
		}
	}
	limits := map[string]bool{"NoFile": true, "Core": true, "Stack": true, "FSize": true, "MemLock": true, "Memory": true, "CPU": true, "PIDs": true}
	kind = reflect.TypeFor[plan.Limits]()
	for i := range kind.NumField() {
		s := &Spec{Argv: []string{"/bin/true"}}
		value := reflect.ValueOf(&s.Limits).Elem().Field(i)
		switch value.Kind() {
		case reflect.Pointer:
			value.Set(reflect.New(value.Type().Elem()))
		case reflect.String:
			value.SetString("idle")
		case reflect.Bool:
			value.SetBool(true)
		default:
			value.SetInt(1)
		}
		if _, direct := s.Direct(); direct != limits[kind.Field(i).Name] {
			t.Errorf("a limit of %s: direct is %t", kind.Field(i).Name, direct)
		}
	}
	for _, argv := range [][]string{nil, {"true"}, {""}} {
		if _, direct := (&Spec{Argv: argv}).Direct(); direct {
			t.Errorf("%q can be started without a launcher", argv)
		}
	}
}
