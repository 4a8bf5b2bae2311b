package e2e

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// killers kill at random, until they have killed so many, or ctx ends where that is negative.
func (k *slaughter) killers(ctx context.Context, all *sync.WaitGroup, many int) {
	var left atomic.Int64
	left.Store(int64(many))
	for range 4 {
		all.Go(func() {
			for ctx.Err() == nil && (many < 0 || left.Add(-1) >= 0) {
				for killed := false; ctx.Err() == nil && !killed; {
					killed = k.killOne()
					time.Sleep(time.Duration(k.n(12_000)) * time.Microsecond) // any instant of a restart that takes about four
				}
			}
		})
	}
}

// killOne kills a process that descends from the supervisor, if it lives.
func (k *slaughter) killOne() bool {
	top := int(k.current.Load())
	pid := top
	for {
		below := childrenOf(pid)
		if pid == 0 || len(below) == 0 || pid != top && k.n(2) == 0 {
			break
		}
		pid = below[k.n(len(below))]
	}
	if pid == top {
		return false
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(fd)
	called := filepath.Base(name(pid))
	switch { // what is on its way is killed less often, so that it comes to be something on a busy host as well
	case called == "recipe-bounded" && k.n(20) > 0, strings.HasPrefix(called, "recipe") && k.n(4) > 0:
		return false
	}
	// The number may have been given to another process before it was opened.
	if called == "." || !descends(pid, top) || unix.PidfdSendSignal(fd, unix.SIGKILL, nil, 0) != nil {
		return false
	}
	count, _ := k.killed.LoadOrStore(called, new(atomic.Int64))
	count.(*atomic.Int64).Add(1)
	return true
}

func (k *slaughter) total() (sum int) {
	k.killed.Range(func(_, count any) bool {
		sum += int(count.(*atomic.Int64).Load())
		return true
	})
	return sum
}

func (k *slaughter) tally() string {
	var words []string
	k.killed.Range(func(called, count any) bool {
		words = append(words, fmt.Sprintf("%s %d", called, count.(*atomic.Int64).Load()))
		return true
	})
	slices.Sort(words)
	return strings.Join(words, ", ")
}
