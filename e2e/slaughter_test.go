package e2e

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"recipe/runtime/control"
)

// witnessed are daemons that look for themselves whether they are alone: each locks a file of its service's own, and writes
// into the witness where another has it. Some start without steps, some with, some have a child in a session of its own that
// keeps the lock, some are asked how they are; those that are told are stopped and started by an operator, and the flag is
// of those that a change restarts one at a time.
const witnessed = `
size = flag("size", type = "int", default = 1000, min = 1, help = "how long it sleeps")
data = directory("/data")

def script(name, then):
    return "exec 9>>DIR/lock." + name + "; flock -n 9; case $? in 0) ;; 1) echo clash " + name + " >>DIR/witness;; *) exit 1;; esac; echo start " + name + " >>DIR/witness; " + then

def daemon(name, then = "exec sleep 1000", env = {}, **more):
    service(name = name, env = {"PLACE": "DIR"} | env, command = ["/bin/sh", "-c", script(name, then)], restart = restart(delay = "0s"), stop = stop(grace = "1s"), **more)

def kinds():
    for i in range(5):
        daemon("direct-%d" % i)
    for i in range(4):
        daemon("prepared-%d" % i, prepare = [data, template("/data/live-%d" % i, "size {}\n", size), run(["/bin/sleep", "0.005"])])
    for i in range(3):
        daemon("family-%d" % i, then = "setsid sleep 1000 & exec sleep 1000")
    for i in range(2):
        daemon("probed-%d" % i, probes = [exec(["/bin/sleep", "0.01"], every = "200ms", timeout = "5s")])
        daemon("stubborn-%d" % i, then = "trap '' TERM; while :; do sleep 1000; done")
        daemon("rolled-%d" % i, env = {"SIZE": fmt("{}", size)})
    for i in range(3):
        daemon("told-%d" % i)

kinds()
`

// Processes of the supervisor's are killed at 10,000 random points: daemons and their children, steps, launchers, the
// forker, and the supervisor itself, a hundred and more of its deaths, while operators stop, start and restart services and
// a flag changes. Never are there two of a service, nothing is left over, neither a cgroup, what operators told holds, and
// the supervisor that lives through the second part has no more descriptors and memory afterwards.
//
// It takes about a minute; RECIPE_TEST_KILLS kills more, RECIPE_TEST_SEED repeats the choices.
func TestTenThousandKills(t *testing.T) {
	t.Parallel()
	kills := number(t, "RECIPE_TEST_KILLS", 10_000)
	if testing.Short() {
		kills = 500
	}
	seed := uint64(number(t, "RECIPE_TEST_SEED", int(time.Now().UnixNano()&(1<<40-1))))
	t.Logf("RECIPE_TEST_SEED=%d", seed)
	eachUser(t, func(t *testing.T, h *home) {
		share := kills * 7 / 10
		if h.uid >= 0 { // where no cgroup holds the trees together
			share = kills - share
		}
		(&slaughter{home: h, random: rand.New(rand.NewPCG(seed, uint64(share)))}).run(share)
	})
}

// number is what the environment says, or as usual.
func number(t *testing.T, variable string, usual int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q is no number", variable, text)
	}
	return n
}

// slaughter is one run of it.
type slaughter struct {
	*home
	mu      sync.Mutex
	random  *rand.Rand
	group   string       // the cgroup that all of it is in; "" without
	current atomic.Int64 // the supervisor's pid; 0 while there is none
	killed  sync.Map     // how many, by what they were called: *atomic.Int64
}

func (k *slaughter) n(most int) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.random.IntN(most)
}

func (k *slaughter) run(kills int) {
	t := k.t
	if k.uid < 0 {
		k.group = ownGroup(t)
	}
	file := k.write("witnessed.star", strings.ReplaceAll(witnessed, "DIR", k.dir))
	k.write("etc/witnessed/flags", "size=1000\n")
	s := k.supervise(file)
	names := k.services()

	var wishes map[string]string
	told := make(chan struct{})
	commands, quit := context.WithCancel(t.Context())
	go func() {
		defer close(told)
		wishes = k.tellAll(commands)
	}()
	t.Cleanup(func() {
		quit()
		<-told
	})

	// Supervisors die after at most 400 ms each, and one of three of them while it is starting.
	deaths := 0
	dying, stop := context.WithCancel(t.Context())
	var killers sync.WaitGroup
	k.killers(dying, &killers, -1)
	for ; deaths < max(kills/40, 5); deaths++ {
		if k.n(3) > 0 {
			s = k.answering(s, file)
		}
		time.Sleep(time.Duration(k.n(300)) * time.Millisecond)
		k.current.Store(0)
		s.kill()
		s = k.supervise(file)
	}
	stop()
	killers.Wait()
	s = k.answering(s, file)
	buried := time.Now()
	first := k.total()

	// One lives through the rest.
	k.allUp(names, nil)
	k.killers(t.Context(), &killers, kills/10)
	killers.Wait()
	k.allUp(names, nil)
	held, memory := descriptors(s.cmd.Process.Pid), anonymous(t, s.cmd.Process.Pid)
	k.killers(t.Context(), &killers, max(kills-k.total()-deaths, kills/4))
	killers.Wait()
	quit()
	<-told
	k.allUp(names, wishes)
	k.until("its descriptors are those from before", func() bool { return descriptors(s.cmd.Process.Pid) <= held+8 }, func() string {
		return fmt.Sprintf("%d, before %d", descriptors(s.cmd.Process.Pid), held)
	})
	after := 0
	k.until("its memory is what it was, once it has given back what a burst took", func() bool {
		after = anonymous(t, s.cmd.Process.Pid)
		return after <= memory+8<<10
	}, func() string { return fmt.Sprintf("%d KiB, before %d", after, memory) })
	k.checkWhy()
	t.Logf("%d kills under %d supervisors that died, %d under the one that lived: %s; descriptors %d, then %d; memory %d KiB, then %d",
		first, deaths, k.total()-first, k.tally(), held, descriptors(s.cmd.Process.Pid), memory, after)
	k.interrupt(s)

	// What operators told holds over the last death as well, and what supervisors left in cgroups is swept once it is old.
	time.Sleep(time.Until(buried.Add(11 * time.Second)))
	s = k.supervise(file)
	k.allUp(names, wishes)
	k.interrupt(s)
	k.empty()
	k.checkWitness(kills)
	if k.group != "" {
		if leaves, _ := filepath.Glob(filepath.Join(k.group, "*", "cgroup.procs")); len(leaves) > 0 {
			t.Errorf("%d cgroups are left, as %s", len(leaves), filepath.Dir(leaves[0]))
		}
	}
}

func (k *slaughter) supervise(file string) *supervisor {
	words := []string{program, "run", "--root", k.dir, file}
	if k.group != "" {
		words = append([]string{"/bin/sh", "-c", `echo 0 >"$0/cgroup.procs" && exec "$@"`, k.group}, words...)
	}
	s := k.start(k.command(words[0], words[1:]...))
	k.current.Store(int64(s.cmd.Process.Pid))
	return s
}

func (k *slaughter) interrupt(s *supervisor) {
	k.current.Store(0)
	s.interrupt()
}

func (k *slaughter) client() *control.Client {
	return control.NewClient(control.SocketPath(filepath.Join(k.dir, "run"), "witnessed"))
}

// answering waits for the supervisor's first answer. One whose evaluation of the recipe was killed has ended, and is started
// again, as an init would.
func (k *slaughter) answering(s *supervisor, file string) *supervisor {
	k.t.Helper()
	k.until("it answers", func() bool {
		select {
		case <-s.ended:
			if !strings.Contains(s.out.String(), "cannot be evaluated: its process was killed") {
				k.t.Fatalf("the supervisor ended: %s", s.out.String())
			}
			s = k.supervise(file)
		default:
		}
		_, err := k.client().Status(k.t.Context())
		return err == nil
	}, func() string {
		s.cmd.Process.Signal(syscall.SIGQUIT) // so that it tells where it hangs
		<-s.ended
		return s.out.String()
	})
	return s
}

func (k *slaughter) services() (names []string) {
	k.until("all services are there", func() bool {
		names = nil
		all, _ := k.client().Status(k.t.Context())
		for _, s := range all {
			names = append(names, s.Service)
		}
		return len(names) == 21
	}, func() string { return fmt.Sprint(names) })
	return names
}

// allUp waits until every service runs but for those that an operator wanted down at last; without wishes, those are left
// out that operators tell.
func (k *slaughter) allUp(names []string, wishes map[string]string) {
	k.t.Helper()
	var odd []string
	k.until("every service is as it was wanted", func() bool {
		odd = nil
		all, err := k.client().Status(k.t.Context())
		if err != nil || len(all) != len(names) {
			odd = []string{fmt.Sprintf("%d services, %v", len(all), err)}
			return false
		}
		for _, s := range all {
			isTold := strings.HasPrefix(s.Service, "told")
			wanted := s.IsUp()
			switch wishes[s.Service] {
			case "stop":
				wanted = s.State == control.Stopped && s.Stop != nil && s.Desired == control.Down
			case "quarantine":
				wanted = s.State == control.Quarantined && s.Quarantine != nil
			}
			if !wanted && (!isTold || wishes != nil) {
				odd = append(odd, fmt.Sprintf("%s is to be %q, and %s since %s: %s", s.Service, wishes[s.Service], s.State, s.Since, s.Reason))
			}
		}
		return len(odd) == 0
	}, func() string { return strings.Join(odd, "\n") })
}

// tellAll has operators tell services what to do, and changes the flag, until ctx ends. It returns the last word to each
// of those that are told.
func (k *slaughter) tellAll(ctx context.Context) map[string]string {
	wishes := map[string]string{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for i := range 3 {
		name := fmt.Sprintf("told-%d", i)
		all.Go(func() {
			verbs := []string{"stop", "start", "restart", "stop", "start", "quarantine", "release"}
			for at := 0; ctx.Err() == nil; at++ {
				verb := verbs[at%len(verbs)]
				k.tell(name, verb)
				mu.Lock()
				wishes[name] = verb
				mu.Unlock()
			}
		})
	}
	all.Go(func() {
		for size := 1001; ctx.Err() == nil; size++ {
			k.insist("set size", func(ctx context.Context, c *control.Client) error {
				_, err := c.Set(ctx, "rolled-0", control.Changes{Set: []string{"size=" + strconv.Itoa(size)}}, "")
				return err
			})
			time.Sleep(time.Duration(k.n(100)) * time.Millisecond)
		}
	})
	all.Wait()
	return wishes
}

// tell holds the answer to a stop to its word.
func (k *slaughter) tell(name, verb string) {
	k.insist(verb+" "+name, func(ctx context.Context, c *control.Client) error {
		var err error
		switch verb {
		case "stop":
			_, err = c.Stop(ctx, name, "a test")
		case "start":
			_, err = c.Start(ctx, name, "a test")
		case "restart":
			_, err = c.Restart(ctx, name, "a test")
		case "quarantine":
			_, err = c.Quarantine(ctx, name, "a test")
		case "release":
			_, err = c.Release(ctx, name, "a test")
		}
		return err
	})
	if verb != "stop" && verb != "quarantine" {
		return
	}
	if lock, err := os.OpenFile(filepath.Join(k.dir, "lock."+name), os.O_RDWR, 0); err == nil {
		defer lock.Close()
		if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
			k.t.Errorf("%s was answered to %s while something of it is left: %v", verb, name, err)
		}
	}
}

// patience is for a command while supervisors and daemons die several times a second.
const patience = 3 * deadline

// insist gives a command again to the next supervisor, where one was gone for longer than a client waits.
func (k *slaughter) insist(what string, command func(context.Context, *control.Client) error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := command(ctx, k.client())
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			k.t.Errorf("%s: not answered within %s: %v", what, patience, err)
			return
		}
		var refused *control.Error
		if !errors.As(err, &refused) || refused.Code != control.Unreachable {
			k.t.Errorf("%s: %v", what, err)
			return
		}
	}
}

// checkWitness reads what the daemons wrote.
func (k *slaughter) checkWitness(kills int) {
	k.t.Helper()
	starts := 0
	for line := range strings.Lines(read(k.t, filepath.Join(k.dir, "witness"))) {
		if strings.HasPrefix(line, "start ") {
			starts++
		} else {
			k.t.Errorf("two at once: %s", line)
		}
	}
	if starts < kills/20 { // on a host that is busy with other things most kills hit what is on its way to be one
		k.t.Errorf("%d daemons were started in %d kills: the test does not show what it should", starts, kills)
	}
}

// checkWhy has each service tell of the signal that its daemons died of.
func (k *slaughter) checkWhy() {
	k.t.Helper()
	for _, name := range []string{"direct-0", "prepared-0", "family-0", "probed-0", "stubborn-0"} {
		decisions, err := k.client().Why(k.t.Context(), name)
		if err != nil || !slices.ContainsFunc(decisions, func(d control.Decision) bool { return strings.Contains(d.Why, "killed by SIGKILL") }) {
			k.t.Errorf("why %s does not tell of a kill: %v, %+v", name, err, decisions)
		}
	}
}
