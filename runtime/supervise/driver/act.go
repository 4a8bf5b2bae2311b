package driver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"sync"
	"time"

	"recipe/runtime/control"
	"recipe/runtime/launch"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// act carries out one action of the machine but for records. Nothing in it waits for a process.
func (sv *service) act(a supervise.Action) {
	if sv.held && sv.postpone(a) {
		return
	}
	switch a := a.(type) {
	case supervise.Admit:
		sv.admit()
	case supervise.Spawn:
		sv.spawn()
	case supervise.Ran:
		sv.ran(a)
	case supervise.Signal:
		sv.signal(a.Name)
	case supervise.Rewrite:
		sv.rewrite(a.Signal)
	case supervise.Kill:
		sv.kill()
	case supervise.Clear:
		sv.clear()
	case supervise.Probe:
		sv.probe()
	case supervise.StopProbes:
		if sv.asks != nil {
			sv.asks.stop()
		}
	}
}

// record takes a decision down, beside it what the daemon said last of itself; words are the last of its output. It is kept and
// shown by tell.
func (sv *service) record(r supervise.Record, words []string) {
	d := control.Decision{Time: time.Now(), Service: sv.name, What: r.What, Why: r.Why, Words: words}
	switch r.What {
	case "kill", "unhealthy", "ended", "restart", "stopping":
		d.Evidence = sv.hearing.lastWords()
	}
	sv.untold = append(sv.untold, d)
}

// tell keeps and shows what was decided. That wakes those who write, which takes longer than a start needs to be on its way: it
// comes first.
func (sv *service) tell() {
	for _, d := range sv.untold {
		sv.sup.journal.write(control.Event{Decision: d})
		sv.sup.say("%s: %s: %s", sv.name, d.What, d.Why)
		sv.tellViewers(d)
	}
	sv.untold = nil
}

// decide is the supervisor's, after what was decided before.
func (sv *service) decide(what, why string) {
	sv.tell()
	sv.sup.decide(sv.name, what, why)
}

// slot is a place among the starts under way; released once, by the start's end or by its time.
type slot struct {
	once  sync.Once
	slots chan struct{}
	timer *time.Timer
}

// newSlot calls late where the start takes longer than the slot is held.
func newSlot(slots chan struct{}, late func()) *slot {
	s := &slot{slots: slots}
	s.timer = time.AfterFunc(slotHold, func() {
		s.release()
		late()
	})
	return s
}

func (s *slot) release() {
	s.once.Do(func() {
		s.timer.Stop()
		<-s.slots
	})
}

// admit asks for a slot, after the services that this one comes after are healthy. A free slot is had at once.
func (sv *service) admit() {
	if sv.slot != nil { // of a start that failed at once
		sv.slot.release()
		sv.slot = nil
	}
	if len(sv.definition.spec.After) == 0 {
		select {
		case sv.sup.slots <- struct{}{}:
			sv.slot = newSlot(sv.sup.slots, sv.lingers)
			sv.pending = append(sv.pending, supervise.Admitted{})
			return
		default:
		}
	}
	sv.enqueue()
}

// lateAfter is when a start that is not done is worth a word.
const lateAfter = 5 * time.Second

// lingers has a start that goes on for that long told, with what it waits for.
func (sv *service) lingers() {
	sv.send(message{do: func() {
		if sv.incarnation == nil || sv.machine.State != supervise.Starting {
			return
		}
		incarnation := sv.incarnation
		late := func() {
			if sv.machine.State == supervise.Starting {
				sv.sup.decide(sv.name, "starting", fmt.Sprintf("not done after %s: %s", lateAfter, incarnation.WaitsFor()))
			}
		}
		number := sv.number
		time.AfterFunc(lateAfter-slotHold, func() { sv.send(message{incarnation: number, do: late}) })
	}})
}

func (sv *service) enqueue() {
	ctx, cancel := context.WithCancel(context.Background())
	sv.dequeue = cancel
	go sv.queue(ctx, sv.definition.spec.After)
}

// queue waits outside of the service's goroutine, without end; a decision says for what.
func (sv *service) queue(ctx context.Context, after []string) {
	for _, name := range after {
		if !sv.follow(ctx, name) {
			return
		}
	}
	select {
	case sv.sup.slots <- struct{}{}:
	case <-ctx.Done():
		return
	}
	held := newSlot(sv.sup.slots, sv.lingers)
	sv.send(message{event: supervise.Admitted{}, slot: held})
}

// follow waits until the service of that name is healthy, though it may be taken out of the recipe meanwhile and come
// again. It reports false when ctx ended first.
func (sv *service) follow(ctx context.Context, name string) bool {
	healthy := func(v view) bool { return v.machine.State == supervise.Running && v.machine.Healthy }
	for {
		first := sv.sup.service(name)
		if first == nil {
			return true // taken out of the recipe since
		}
		if !healthy(first.snapshot()) {
			sv.sup.decide(sv.name, "wait", "comes after "+name+", which is not healthy yet")
		}
		if first.wait(ctx, healthy) == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
	}
}

// spawn starts the launcher of the next incarnation.
func (sv *service) spawn() {
	sv.number++
	sv.log.ForgetWords()
	sv.words = nil
	sv.begins()
	spec, err := sv.resolve()
	if err == nil {
		err = sv.listen(sv.definition)
	}
	if err == nil {
		sv.hearing, err = sv.launch(spec)
	}
	if err != nil {
		sv.pending = append(sv.pending, supervise.SpawnFailed{Reason: err.Error()})
		return
	}
	sv.live = sv.definition.env
	sv.sup.tellNotes()
	sv.sup.calm.started()
}

// launch spawns the launcher, and hears what becomes of it.
func (sv *service) launch(spec *launch.Spec) (h *hearing, err error) {
	output, err := sv.output(spec)
	if err != nil {
		return nil, err
	}
	if spec.Terminal {
		defer output.Close()
	}
	h, files, err := sv.hearken(spec)
	if err != nil {
		return nil, err
	}
	defer files.close()
	incarnation, err := sv.sup.host.Start(process.Order{
		Service: sv.name, ID: randomID(), Spec: spec, Sockets: append(sv.sockets.files(), files.handed()...), Output: output, Notify: sv.notify(sv.number), Meanwhile: sv.tell,
	})
	if err != nil {
		h.close()
		return nil, err
	}
	sv.incarnation = incarnation
	h.follow(incarnation, files.socket)
	return h, nil
}

func randomID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails: crypto/rand aborts the program instead
	return hex.EncodeToString(id[:])
}

// notify turns what the incarnation tells into messages that carry its number.
func (sv *service) notify(number uint64) func(process.Event) {
	return func(e process.Event) {
		m := message{incarnation: number}
		switch e := e.(type) {
		case process.Executed:
			m.event = supervise.Executed{}
		case process.NotSane:
			m.event = supervise.NotSane{Reason: e.Reason}
		case process.Exited:
			sv.tally.ended(e.Status)
			m.event = supervise.Exited{Status: e.Status.String(), OK: e.Status == process.Status{}}
		}
		sv.send(m)
	}
}

// resolve makes the launcher's orders from the definition that holds now.
func (sv *service) resolve() (*launch.Spec, error) {
	d := sv.definition
	if d.env == nil {
		return nil, faultError(d.fault)
	}
	return launch.Resolve(d.plan, d.spec, d.env)
}

// faultError is why a service cannot start though its recipe is sound.
type faultError string

func (e faultError) Error() string { return string(e) }

func (sv *service) signal(name string) {
	if sv.incarnation == nil {
		return
	}
	if err := sv.incarnation.Signal(name); err != nil {
		sv.decide("signal", err.Error())
	}
}

// rewriting is one rewriting of templates, with the signal after it. err is set once done is closed.
type rewriting struct {
	done chan struct{}
	err  error
}

// rewrite shows the new flags in the templates, then tells the daemon. It runs beside the service: a template on a
// hung file system must not hold up its supervision. Rewritings come one after another, so that the last one stays, and
// one that comes too late leaves the templates of the next incarnation alone.
func (sv *service) rewrite(signal string) {
	spec, err := sv.resolve()
	incarnation, number := sv.incarnation, sv.number
	if err != nil || incarnation == nil {
		sv.decide("reload", "cannot rewrite the templates; the daemon was left alone")
		return
	}
	before, this := sv.rewritten, &rewriting{done: make(chan struct{})}
	sv.rewritten = this
	go func() {
		defer close(this.done)
		if before != nil {
			<-before.done
		}
		if v := sv.snapshot(); v.number != number || v.machine.State != supervise.Running {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := spec.WriteTemplates(ctx)
		if err == nil {
			err = incarnation.Signal(signal)
		}
		if err != nil {
			this.err = err
			sv.sup.decide(sv.name, "reload", "the change did not reach the daemon: "+err.Error())
		}
	}()
}

// kill ends the tree and tells Emptied when nothing is left: at once where nothing is, and otherwise beside the service, however
// long that takes.
func (sv *service) kill() {
	incarnation, number, asks := sv.incarnation, sv.number, sv.asks
	if incarnation == nil {
		sv.pending = append(sv.pending, supervise.Emptied{})
		return
	}
	if asks.quiet() && sv.screen.Load() == nil && incarnation.EndDead() {
		sv.hearing.close()
		sv.incarnation = nil
		sv.log.EndIncarnation()
		sv.pending = append(sv.pending, supervise.Emptied{})
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	killed := make(chan struct{})
	sv.hearing.close()
	sv.incarnation, sv.dying, sv.stopKill, sv.killed = nil, incarnation, cancel, killed
	go func() {
		defer close(killed)
		left, gone := sv.end(ctx, incarnation)
		if !gone {
			return
		}
		askedOut(asks)
		if t := sv.screen.Load(); t != nil {
			t.End()
		}
		sv.log.EndIncarnation()
		sv.send(message{event: supervise.Emptied{Left: left}, incarnation: number})
	}()
}

// clear ends what an earlier supervisor left, and tells when nothing of it is there any longer.
func (sv *service) clear() {
	ctx, cancel := context.WithCancel(context.Background())
	cleared := make(chan struct{})
	sv.stopKill, sv.killed = cancel, cleared
	go func() {
		defer close(cleared)
		var left []process.Leftover
		if sv.insist(ctx, "clear", func() (err error) {
			left, err = sv.sup.host.Clear(ctx, sv.name, sv.stuck("clear"))
			return err
		}) {
			for _, l := range left {
				sv.sup.decide(sv.name, "clear", fmt.Sprintf("an earlier supervisor left process %d (%s): it was ended before the first start", l.PID, l.Command))
			}
			sv.send(message{event: supervise.Emptied{Left: len(left)}})
		}
	}()
}

// end returns when nothing of the tree is left, and how many processes there were besides the leader.
func (sv *service) end(ctx context.Context, incarnation *process.Incarnation) (others int, gone bool) {
	gone = sv.insist(ctx, "kill", func() error {
		met, err := incarnation.End(ctx, sv.stuck("kill"))
		others = max(others, met)
		return err
	})
	return others, gone
}

// insist tries until nothing is left, since nothing new may start beside it, or until ctx ends. It reports which. What fails
// is said ever more seldom, since it may be so for days.
func (sv *service) insist(ctx context.Context, what string, try func() error) (gone bool) {
	for times := 1; ; times++ {
		err := try()
		if err == nil || ctx.Err() != nil {
			return err == nil
		}
		if times&(times-1) == 0 {
			sv.sup.decide(sv.name, what, err.Error())
		}
		sleep(ctx, time.Second)
	}
}

// stuck tells of processes that do not die.
func (sv *service) stuck(what string) func(members []int) {
	return func(members []int) {
		if len(members) == 0 {
			sv.sup.decide(sv.name, what, "its processes come and go faster than they are killed; nothing new is started before they are gone")
			return
		}
		sv.sup.decide(sv.name, what, fmt.Sprintf("processes %v do not die: they are most likely stuck in the kernel, on a disk or a network file system; nothing new is started before they are gone", members))
	}
}
