package process

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Bounds of the pause between two looks at a tree that was killed. Most are empty at the first look.
const (
	firstPause = 100 * time.Microsecond
	lastPause  = 20 * time.Millisecond
	stuckPause = time.Second // of one that is stuck
)

// A tree that was killed and is still there is worth a word after stuckAfter, since its processes hang in the kernel; and
// again after twice that each time, but no more seldom than stuckAgain.
const (
	stuckAfter = 5 * time.Second
	stuckAgain = 5 * time.Minute
)

// strangeAfter is in looks, of which the last before it comes after some 200 ms (lockPatience).
const strangeAfter = 17

// KillTree ends the whole tree, leader included, and returns when nothing of it is left, with the number of processes
// besides the leader that it met. It tells stuck, time and again, which processes do not die. The error, the context's end or
// the kernel's refusal, names what is left.
func (i *Incarnation) KillTree(ctx context.Context, stuck func(members []int)) (others int, err error) {
	met := killed{}
	err = untilEmpty(ctx, i.ended, func() { stuck(i.Members()) }, func(number int) (bool, error) {
		left, empty, err := i.killRound(number)
		met.add(left)
		return empty && met.gone(), err
	})
	delete(met, i.pid)
	if err == nil {
		return len(met), nil
	}
	if left := i.Members(); len(left) > 0 {
		err = fmt.Errorf("%s left: %w", describe(left), err)
	}
	return len(met), fmt.Errorf("cannot end service %s: %w", i.service, err)
}

// EndDead is End for a tree of which nothing is left but its dead leader, as is that of most daemons that died: it waits for
// nothing. It reports false where End has to be called. The leader is reaped at once: a daemon may look for the last one's pid.
func (i *Incarnation) EndDead() bool {
	if i.leaf == nil || !i.dead() || unix.Rmdir(i.leaf.path) != nil {
		return false
	}
	if free, err := i.host.lockFree(i.service); !free || err != nil {
		return false
	}
	i.bury()
	return true
}

// End is KillTree and Reap.
func (i *Incarnation) End(ctx context.Context, stuck func(members []int)) (others int, err error) {
	others, err = i.KillTree(ctx, stuck)
	if err == nil {
		err = i.Reap()
	}
	return others, err
}

// untilEmpty calls round until it finds nothing, with growing pauses that end early when wake is closed, and stuck when that
// takes long.
func untilEmpty(ctx context.Context, wake <-chan struct{}, stuck func(), round func(number int) (empty bool, err error)) error {
	pause, longest := firstPause, lastPause
	said, told := stuckAfter, time.Now()
	for number := 0; ; number++ {
		empty, err := round(number)
		if empty || err != nil {
			return err
		}
		if time.Since(told) >= said {
			stuck()
			said, told, longest = min(2*said, stuckAgain), time.Now(), stuckPause
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			timer.Stop()
			return context.Cause(ctx)
		case <-wake:
			timer.Stop()
			wake = nil
		case <-timer.C:
		}
		pause = min(2*pause, longest)
	}
}

// killed are processes that were sent SIGKILL: pid and start. One that is on its way out shows neither marker nor lock
// any more, yet it may hold a port for a moment.
type killed map[int]uint64

func (k killed) add(left []proc) {
	for _, p := range left {
		if !p.dead() {
			k[p.pid] = p.started
		}
	}
}

func (k killed) gone() bool {
	for pid, started := range k {
		if p, ok := readProc(pid); ok && p.started == started && !p.dead() {
			return false
		}
	}
	return true
}

// killRound kills what it sees. It is empty when the leader is dead, nothing else was seen and nobody holds the lock.
func (i *Incarnation) killRound(number int) (left []proc, empty bool, err error) {
	dead := i.dead()
	if !dead {
		if err := i.send(unix.SIGKILL); err != nil {
			return nil, false, err
		}
	}
	sure := true
	if i.leaf == nil {
		left, sure = i.killDescent()
	} else if left, err = i.leaf.killAll(); err != nil {
		return nil, false, err
	}
	if !dead || !sure || len(left) > 0 {
		return left, false, nil
	}
	empty, err = i.host.lockFree(i.service)
	// A process that was moved to another cgroup, as logins are; or, for a moment, a child of ours just before its exec,
	// which is another service's.
	if err == nil && !empty && number >= strangeAfter {
		left = i.host.killHolders(i.service)
	}
	return left, empty, err
}

// Members are the pids of the tree's processes that live, the leader's included.
func (i *Incarnation) Members() []int {
	var found []proc
	if i.leaf != nil {
		found = i.leaf.members()
	} else {
		found, _ = i.descent()
	}
	var pids []int
	for _, p := range found {
		if !p.dead() {
			pids = append(pids, p.pid)
		}
	}
	slices.Sort(pids)
	return slices.Compact(pids)
}

// describe names processes for a message, a few of them with how they were called.
func describe(pids []int) string {
	const most = 3
	var words []string
	for at, pid := range pids {
		if at == most {
			words = append(words, fmt.Sprintf("and %d more", len(pids)-most))
			break
		}
		text := fmt.Sprintf("process %d (%s)", pid, commandLine(pid))
		if p, ok := readProc(pid); ok && p.state == 'D' {
			text += " stuck in the kernel"
		}
		words = append(words, text)
	}
	return strings.Join(words, ", ")
}
