package driver

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"recipe/runtime/launch"
	"recipe/runtime/logs"
	"recipe/runtime/plan"
	"recipe/runtime/process"
	"recipe/runtime/supervise"
)

// adopt takes over what an earlier supervisor, which was killed, left running and the init kept the descriptors of, by name. A daemon
// is adopted if it is the process that was recorded, in the cgroup that is noted for the service, and was started with what the
// recipe still says; flags that were changed meanwhile do what their apply says. Any other is ended before the first start, as where
// nothing is kept. Services are claimed, and no signal is sent.
//
// It returns services that were recorded and that no recipe declares.
func (s *Supervisor) adopt(kept map[string]int) (undeclared []string) {
	declared := map[string]bool{}
	for _, r := range s.recipes {
		if r.plan == nil {
			continue
		}
		for _, spec := range r.plan.Launches() {
			declared[spec.Name] = true
			was, err := s.adoptOne(r, spec, kept)
			switch {
			case err != nil:
				s.decide(spec.Name, "adopt", fmt.Sprintf("an earlier supervisor was killed: its daemon is not adopted, and what lives of it is ended before the first start, since %v", err))
			case was != nil:
				s.decide(spec.Name, "adopt", fmt.Sprintf("an earlier supervisor was killed: process %d goes on, and nothing of it was touched", was.Tree.PID))
				s.adopted = append(s.adopted, was.Service)
			}
		}
	}
	for name, fd := range kept {
		if service, ok := strings.CutPrefix(name, "record/"); ok && !declared[service] {
			undeclared = append(undeclared, service)
		}
		unix.Close(fd)
		_ = s.options.Init.Forget(name)
	}
	return undeclared
}

// adoptOne takes from kept what it uses. It returns nil where no daemon was recorded. A record that makes this program fail costs
// that one daemon: the init would start a supervisor that ends again and again, with the same record.
func (s *Supervisor) adoptOne(r *recipe, spec *plan.Service, kept map[string]int) (was *record, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			s.host.Abandon(spec.Name)
			delete(s.services, spec.Name)
			err = fmt.Errorf("a fault of this program: %v", fault)
		}
	}()
	memory, ok := kept["record/"+spec.Name]
	if !ok {
		return nil, nil
	}
	was, err = readRecord(memory)
	if was == nil || err != nil {
		return was, err
	}
	digest, err := spec.LaunchDigest(r.plan)
	switch {
	case was.Service.Name != spec.Name || was.Tree.Service != spec.Name:
		return was, errors.New("its record is of another service")
	case err != nil:
		return was, err
	case digest != was.Launch:
		return was, errors.New("the recipe changed what it is started with")
	case (was.Service.Task != nil) != (r.plan.Task(spec.Name) != nil):
		return was, errors.New("the recipe made something else of it")
	}
	probes, err := spec.ProbesDigest()
	if err != nil {
		return was, err
	}
	if m := was.Service.Machine; m != nil && probes != was.Probes {
		m.AskAnew(len(spec.Probes))
	}
	resolved, err := launch.Resolve(r.plan, spec, was.Live)
	if err != nil {
		return was, err
	}
	if r.digest == "" {
		if r.digest, err = r.plan.Digest(); err != nil {
			return was, err
		}
	}
	d := &definition{plan: r.plan, spec: spec, task: r.plan.Task(spec.Name), digest: r.digest, file: r.file, env: was.Live}
	taken := &takenFiles{kept: kept}
	defer taken.close()
	if _, err := taken.take("record/" + spec.Name); err != nil { // the first
		return was, err
	}
	if err := taken.describe(&was.Service); err != nil {
		return was, err
	}
	if err := s.host.Adopt(was.Tree, resolved); err != nil {
		return was, err
	}
	sv, err := s.restore(was.Service, d, was.Live)
	if err != nil {
		s.host.Abandon(spec.Name)
		return was, err
	}
	sv.keeping = taken.goOn()
	s.services[spec.Name] = sv
	if r.env == nil { // a mistake in the flags takes nothing down
		r.env, r.fault = was.Live, ""
	}
	return was, nil
}

// takenFiles are descriptors of what is kept, which are the service's once it is there.
type takenFiles struct {
	kept  map[string]int
	names []string
	fds   []int
}

func (t *takenFiles) take(name string) (int, error) {
	kept, ok := t.kept[name]
	if !ok {
		return -1, fmt.Errorf("the init has not kept its %s", strings.Split(name, "/")[0])
	}
	fd, err := unix.FcntlInt(uintptr(kept), unix.F_DUPFD_CLOEXEC, 3)
	if err == nil {
		t.names, t.fds = append(t.names, name), append(t.fds, fd)
	}
	return fd, err
}

// describe puts the descriptors where the service's state names others, of the supervisor that was killed.
func (t *takenFiles) describe(one *carriedService) (err error) {
	one.Terminal, one.Log = nil, &logs.Handover{Service: one.Name}
	if one.Log.Read, err = t.take("log/" + one.Name); err != nil {
		return err
	}
	// A pipe's other end is had from this one.
	if one.Log.Write, err = unix.Open(fmt.Sprintf("/proc/self/fd/%d", one.Log.Read), unix.O_WRONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("the pipe for its output cannot be opened: %w", err)
	}
	t.fds = append(t.fds, one.Log.Write)
	for i := range one.Sockets {
		if one.Sockets[i].Descriptor, err = t.take(socketName(one.Name, i)); err != nil {
			return err
		}
	}
	if h := one.Hearing; h != nil {
		h.Socket, h.Pipe = 0, 0
		if h.Path != "" {
			h.Socket, err = t.take("notify/" + one.Name)
		}
	}
	return err
}

// goOn leaves with the init what it keeps of the service already.
func (t *takenFiles) goOn() keeping {
	k := keeping{memory: os.NewFile(uintptr(t.fds[0]), "record"), files: map[string]uint64{}}
	for _, name := range t.names {
		var st unix.Stat_t
		if unix.Fstat(t.kept[name], &st) == nil {
			k.files[name] = st.Ino
		}
		unix.Close(t.kept[name])
		delete(t.kept, name)
	}
	t.fds = nil
	return k
}

func (t *takenFiles) close() {
	for _, fd := range t.fds {
		unix.Close(fd)
	}
}

// goOnWithAdopted has the adopted services go on, and what an admin stopped meanwhile stop.
func (s *Supervisor) goOnWithAdopted() {
	for _, one := range s.adopted {
		sv := s.services[one.Name]
		sv.resume(one)
		if down := sv.wishes().down(); down != "" {
			sv.send(message{event: supervise.Stop{Why: down}})
		}
	}
	s.adopted = nil
}

// endUndeclared ends what was recorded of services that no recipe declares any longer. A recipe that cannot be read may.
func (s *Supervisor) endUndeclared(ctx context.Context, names []string) {
	for _, r := range s.recipes {
		if r.plan == nil {
			return
		}
	}
	for _, name := range names {
		if s.host.Claim(name) != nil {
			continue // it is another supervisor's
		}
		patience, cancel := context.WithTimeout(ctx, stuckPatience)
		_, err := s.host.Clear(patience, name, func(l process.Leftover) {
			s.decide(name, "clear", fmt.Sprintf("an earlier supervisor left process %d (%s), and no recipe declares the service: it is ended", l.PID, l.Command))
		}, func([]int) {})
		cancel()
		if err != nil {
			s.say("%v", err)
		}
		s.host.Release(name)
	}
}
