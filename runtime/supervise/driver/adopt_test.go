package driver

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"recipe/runtime/expr"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// TestAFaultOfOneAdoptionIsThatDaemonsAlone: it is ended and started anew, and the supervisor goes on with all others.
func TestAFaultOfOneAdoptionIsThatDaemonsAlone(t *testing.T) {
	t.Parallel()
	p := planOf(serviceOf("faulty", "exec sleep 1000"), serviceOf("ended", "exec sleep 1000"), serviceOf("other", "exec sleep 1000"))
	p.Services[0].Command = append(p.Services[0].Command, expr.Expr{Op: expr.OpJoin}) // no check lets that through
	r := prepare(t, t.TempDir(), p)
	t.Cleanup(func() { r.host.Close() })
	r.recipes = []*recipe{{file: r.file, plan: p}}
	r.journal = openJournal(filepath.Join(r.dir, "state", "test.journal"))
	kept := map[string]int{}
	for i := range p.Services {
		spec := &p.Services[i]
		digest, err := spec.LaunchDigest(p)
		if err != nil {
			t.Fatal(err)
		}
		name := spec.Name
		if name == "other" {
			name = "ended"
		}
		data, err := json.Marshal(record{Format: carriedFormat, Launch: digest, Live: &expr.Env{}, Tree: process.HandedTree{Service: name}, Service: carriedService{Name: name, Machine: &supervise.Carried{State: supervise.Running}}})
		if err != nil {
			t.Fatal(err)
		}
		file := memory(t)
		if err := writeRecord(file, data); err != nil {
			t.Fatal(err)
		}
		if kept["record/"+spec.Name], err = unix.Dup(int(file.Fd())); err != nil {
			t.Fatal(err)
		}
	}
	if undeclared := r.adopt(kept); len(undeclared)+len(r.adopted)+len(r.services) > 0 {
		t.Errorf("adopted: %v, there: %v, undeclared: %v", r.adopted, r.services, undeclared)
	}
	for name, want := range map[string]string{"faulty": "since a fault of this program: ", "ended": "since the init has not kept its log", "other": "since its record is of another service"} {
		decisions, err := r.journal.of(name, whyLength)
		if err != nil || len(decisions) != 1 || !strings.Contains(decisions[0].Why, "is ended before the first start, "+want) {
			t.Errorf("why tells of %s: %+v, %v", name, decisions, err)
		}
	}
}
