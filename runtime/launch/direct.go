package launch

import (
	"strings"
	"syscall"

	"recipe/runtime/plan"
)

// Direct is a start for which nobody has to prepare anything: all that the daemon is given can be set between a clone and
// its exec. Whoever carries it out does what Become does, in the same order.
type Direct struct {
	Argv    []string
	Env     []string            // the whole environment
	WorkDir string              // "" is /
	Umask   int                 // of the daemon
	Account *syscall.Credential // nil is whoever calls
	Limits  []Rlimit
}

// Rlimit is a value for both the soft and the hard limit of a resource.
type Rlimit struct{ Resource, Value uint64 }

// Direct is false for a service that has steps, a terminal, or descriptors to be handed, or limits that are more than a
// number in the kernel, and for one that cannot be started as it is: a launcher will say why. Bounds of the whole tree are whoever's who holds it together.
func (s *Spec) Direct() (*Direct, bool) {
	rest := s.Limits
	rest.Memory, rest.CPU, rest.PIDs = 0, 0, 0
	rest.NoFile, rest.Core, rest.Stack, rest.FSize, rest.MemLock = 0, nil, 0, 0, nil
	if len(s.Steps) > 0 || s.Handed() > 0 || s.Terminal || rest != (plan.Limits{}) || len(s.Argv) == 0 || !strings.HasPrefix(s.Argv[0], "/") {
		return nil, false
	}
	id, err := s.lookUp()
	if err != nil {
		return nil, false
	}
	d := &Direct{Argv: s.Argv, Env: with(s.environ(), s.Told), WorkDir: s.WorkDir, Umask: s.umask()}
	if id != nil {
		d.Account = &syscall.Credential{Uid: uint32(id.uid), Gid: uint32(id.gid)}
		for _, group := range id.groups {
			d.Account.Groups = append(d.Account.Groups, uint32(group))
		}
	}
	for _, r := range rlimits(&s.Limits) {
		d.Limits = append(d.Limits, Rlimit{uint64(r.resource), uint64(r.value)})
	}
	return d, true
}

// Unable is the reason of a direct start that came to nothing for errno. A launcher has more words.
func Unable(program string, errno syscall.Errno) string {
	return "the program " + program + " cannot be run: " + reason(errno)
}
