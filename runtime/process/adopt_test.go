package process

import (
	"context"
	"os"
	"strings"
	"testing"
)

// TestStrangersAreNotAdopted: what is adopted is the very process that was known, and the end of it is seen, whose ever child it is.
func TestStrangersAreNotAdopted(t *testing.T) {
	h := newHost(t, t.TempDir(), false)
	if h.cgroup == "" {
		needsHost(t, "a writable cgroup2: "+h.why)
	}
	r := start(t, h, "foo", "parent:stubborn")
	r.expect(Executed{})
	r.pid()
	known, ok := r.Known()
	if !ok {
		t.Fatal("it is not known")
	}
	spec := roleSpec("foo", "serve")
	if err := h.Adopt(known, spec); err == nil {
		t.Error("it is adopted by whom it is run")
	}
	r.forget() // as if another had started it
	self, _ := readProc(os.Getpid())
	for name, change := range map[string]func(*HandedTree){
		"a later process of its pid": func(tree *HandedTree) { tree.Started++ },
		"a process of another tree":  func(tree *HandedTree) { tree.PID, tree.Started = self.pid, self.started },
		"a pid that is free":         func(tree *HandedTree) { tree.PID = 1 << 22 },
		"another cgroup":             func(tree *HandedTree) { tree.Leaf += "0" },
		"no cgroup":                  func(tree *HandedTree) { tree.Leaf = "" },
		"a service that is another's": func(tree *HandedTree) {
			tree.Service = "bar"
		},
	} {
		tree := known
		change(&tree)
		if err := h.Adopt(tree, spec); err == nil {
			t.Errorf("%s is adopted", name)
		}
	}
	if p, ok := readProc(known.PID); !ok || p.dead() {
		t.Fatal("what was not adopted was ended")
	}

	if err := h.Adopt(known, spec); err != nil {
		t.Fatal(err)
	}
	events := make(chan Event, 3)
	adopted := h.Attend("foo", func(e Event) { events <- e })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	others, err := adopted.End(ctx, func([]int) {})
	if err != nil || others == 0 {
		t.Errorf("its end met %d others: %v", others, err)
	}
	if exited, ok := (<-events).(Exited); !ok || !strings.Contains(exited.Status.String(), "KILL") && exited.Status.Code != Unseen {
		t.Errorf("its end is told as %v", exited.Status)
	}
	if err := h.Adopt(known, spec); err == nil {
		t.Error("what has ended is adopted")
	}
}
