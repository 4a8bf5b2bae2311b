package driver

import (
	"context"
	"crypto/rand"
	"encoding/hex"
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
