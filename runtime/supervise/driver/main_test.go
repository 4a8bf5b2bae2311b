package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/errand"
	"recipe/runtime/expr"
	"recipe/runtime/plan"
	"recipe/runtime/process"
)

// TestMain serves as launcher too, and for the commands of probes, since the supervisor spawns its own executable, and as the daemon that is handed sockets.
func TestMain(m *testing.M) {
	if process.Launching(os.Args) {
		process.Launch()
	}
	if errand.Running(os.Args) {
		errand.Main()
	}
	if len(os.Args) == 2 && os.Args[1] == handedRole {
		serveHanded()
	}
	if len(os.Args) > 2 && os.Args[1] == tellingRole {
		tell(os.Args[2:])
	}
	os.Exit(m.Run())
}

// running is a supervisor under test, over a plan that the test may replace like an editor does a file.
type running struct {
	*Supervisor
	t    *testing.T
	dir  string
	file string
	stop context.CancelFunc
	done chan error

	mu     sync.Mutex
	plan   *plan.Plan            // of file
	others map[string]*plan.Plan // of the other recipes, by file
	loads  int
	load   func() // is called in every evaluation
	said   []string
}

func serviceOf(name, script string) plan.Service {
	return plan.Service{
		Name: name, Command: []expr.Expr{expr.TextOf("/bin/sh"), expr.TextOf("-c"), expr.TextOf(script)},
		Restart: plan.Restart{Delay: 10, Cap: 100, StableAfter: 60_000},
		Stop:    plan.Stop{Signal: "TERM", Grace: 300}, Logs: plan.DefaultLogs(),
	}
}

func planOf(services ...plan.Service) *plan.Plan {
	return &plan.Plan{Format: plan.Format, Name: "test", Services: services}
}

func begun(t *testing.T, p *plan.Plan) *running {
	t.Helper()
	r := prepare(t, t.TempDir(), p)
	r.begin()
	return r
}

// prepare makes a supervisor that shares the directories of dir. The others lie in files that are named like them.
func prepare(t *testing.T, dir string, p *plan.Plan, others ...*plan.Plan) *running {
	t.Helper()
	r := &running{t: t, dir: dir, file: filepath.Join(dir, "test.star"), plan: p, others: map[string]*plan.Plan{}}
	r.save("the first")
	files := []string{r.file}
	for _, other := range others {
		file := filepath.Join(dir, other.Name+".star")
		r.write(file, "the first")
		r.others[file] = other
		files = append(files, file)
	}
	for _, folder := range []string{"run", "state", "log"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	s, err := New(Options{
		Recipes:    files,
		Root:       func(string, *plan.Plan) string { return filepath.Join(dir, "root") },
		RuntimeDir: filepath.Join(dir, "run"), StateDir: filepath.Join(dir, "state"), LogDir: filepath.Join(dir, "log"),
		Load: func(_ context.Context, file string) (*plan.Plan, error) {
			r.mu.Lock()
			r.loads++
			p, load := r.plan, r.load
			if file != r.file {
				p = r.others[file]
			}
			r.mu.Unlock()
			if load != nil {
				load()
			}
			if p == nil {
				return nil, errors.New(filepath.Base(file) + ":1:1: this text is no recipe")
			}
			return p, nil
		},
		Say: func(line string) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.said = append(r.said, line)
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	r.Supervisor = s
	return r
}

func (r *running) begin() {
	ctx, cancel := context.WithCancel(context.Background())
	r.stop, r.done = cancel, make(chan error, 1)
	go func() { r.done <- r.Run(ctx, context.Background()) }()
	r.t.Cleanup(func() {
		r.end()
		if r.t.Failed() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Logf("the supervisor said:\n%s", strings.Join(r.said, "\n"))
		}
	})
}

func (r *running) end() {
	r.stop()
	if err, first := <-r.done; first {
		close(r.done)
		if err != nil {
			r.t.Errorf("the supervisor ended: %v", err)
		}
	}
}

// save writes the file that is watched; its text does not matter to Load.
func (r *running) save(text string) { r.write(r.file, text) }

// write makes the file and its folders.
func (r *running) write(file, text string) {
	err := os.MkdirAll(filepath.Dir(file), 0o755)
	if err == nil {
		err = os.WriteFile(file, []byte(text), 0o644)
	}
	if err != nil {
		r.t.Error(err)
	}
}

func (r *running) change(p *plan.Plan, text string) {
	r.mu.Lock()
	r.plan = p
	r.mu.Unlock()
	r.save(text)
}

func (r *running) count(part string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, line := range r.said {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

func (r *running) status(name string) *control.Status {
	for _, s := range r.Status(context.Background()) {
		if s.Service == name {
			return &s
		}
	}
	return &control.Status{}
}

// until polls for a state of the world; there is no event to wait for across processes.
func (r *running) until(what string, holds func() bool) {
	r.t.Helper()
	const never = time.Minute // nothing is promised by it: a busy host may be slow
	for deadline := time.Now().Add(never); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("in a minute it never came to be that %s; status: %+v", what, r.Status(context.Background()))
		}
	}
}

func (r *running) pidOf(name string) int {
	r.t.Helper()
	r.until(name+" runs", func() bool { return r.status(name).IsUp() })
	return r.status(name).PID
}

// gone reports whether no process of that pid runs. A zombie does not: it has ended, and waits for its parent to read how.
func gone(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || strings.HasPrefix(string(stat[bytes.LastIndexByte(stat, ')')+1:]), " Z")
}
